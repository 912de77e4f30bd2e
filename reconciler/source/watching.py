"""Telling when files of the working tree, or branches of a repository on this machine, change.

Called by the watch loop, which then asks for the whole tree again. A burst of events is one change. What exactly
happened is of no interest: a tick is level-triggered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

from reconciler.errors import Unavailable
from reconciler.source.files import FOLDERS

QUIET_MILLISECONDS = 50
"""A change is told once nothing has happened for so long."""
LONGEST_BURST_MILLISECONDS = 1_000
LONGEST_CHECKOUT_SECONDS = 10
"""How long git is waited for; a git that was killed leaves its lock for ever."""
REFERENCES_QUIET_MILLISECONDS = 5
"""Git replaces a reference in one step, so there is nothing to wait for but the rest of the same push."""
CHECK_MILLISECONDS = 1_000
"""How often folders are looked for that came, went or were replaced, which a watch does not notice."""


def watch_changes(root: Path, stop_event: Event) -> Iterator[frozenset[str]]:
    """Paths below manifests/ and templates/ that changed, set by set, until the event is set (noticed within 0.1 s).

    The first set names both folders and comes once the watch stands, so that a change before it is not missed; so does
    the first after a folder appeared, went or was replaced, as `git checkout` does.

    Raises:
        Unavailable: the system cannot watch more files.
    """
    root = root.resolve()
    while not stop_event.is_set():
        yield from _watch(root, _folders(root), stop_event)


def watch_references(repository: Path, stop_event: Event) -> Iterator[None]:
    """Tell whenever branches of a repository move, until the event is set; nothing where that cannot be seen.

    The first time comes once the watch stands. `repository` is a bare one, or one with a working tree.

    Raises:
        Unavailable: the system cannot watch more files.
    """
    git = repository / ".git" if (repository / ".git").is_dir() else repository
    places = [place for place in (git / "refs", git / "reftable") if place.is_dir()]
    if not places:
        return
    fresh = True
    try:
        for changes in _changes(places, REFERENCES_QUIET_MILLISECONDS, stop_event):
            if changes or fresh:
                yield
            fresh = False
    except OSError as error:
        raise _cannot_watch(repository, error) from None


def _watch(root: Path, folders: dict[str, int], stop_event: Event) -> Iterator[frozenset[str]]:
    """Changes within these folders, until they are no longer the same or the event is set."""
    fresh = frozenset(FOLDERS)
    try:
        for changed in _events(root, folders, stop_event):
            told = fresh | {Path(path).relative_to(root).as_posix() for path in changed}
            if told and _git_is_done(root, stop_event):
                yield told
            fresh = frozenset()
            if _folders(root) != folders:
                return
    except FileNotFoundError:  # a folder went just now
        return
    except OSError as error:
        raise _cannot_watch(root, error) from None


def _git_is_done(root: Path, stop_event: Event) -> bool:
    """Let git finish a checkout or a pull, whose half would look like deletes; False if the watch ends meanwhile."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").is_dir()), root)
    lock = top / ".git" / "index.lock"
    for _ in range(LONGEST_CHECKOUT_SECONDS * 20):
        if not lock.exists():
            break
        stop_event.wait(0.05)
    return not stop_event.is_set()


def _events(root: Path, folders: dict[str, int], stop_event: Event) -> Iterator[frozenset[str]]:
    """Changed paths; an empty set now and then where nothing changed."""
    if not folders:
        yield frozenset()
        while not stop_event.wait(CHECK_MILLISECONDS / 1000):
            yield frozenset()
        return
    yield from _changes([root / name for name in folders], QUIET_MILLISECONDS, stop_event)


def _changes(places: list[Path], quiet_milliseconds: int, stop_event: Event) -> Iterator[frozenset[str]]:
    from watchfiles import watch  # noqa: PLC0415 - 90 ms, and only `watch` needs it

    for changes in watch(
        *places,
        watch_filter=None,
        debounce=LONGEST_BURST_MILLISECONDS,
        step=quiet_milliseconds,
        stop_event=stop_event,
        rust_timeout=CHECK_MILLISECONDS,
        yield_on_timeout=True,
    ):
        yield frozenset(path for _, path in changes)


def _cannot_watch(root: Path, error: OSError) -> Unavailable:
    hint = "Raise the limit: sysctl fs.inotify.max_user_watches=1048576"
    return Unavailable.of("cannot-watch", f"cannot watch {root}: {error}", hint=hint)


def _folders(root: Path) -> dict[str, int]:
    """The watched folders that exist, with their inodes."""
    found = {}
    for name in FOLDERS:
        try:
            found[name] = (root / name).stat().st_ino
        except OSError:
            continue
    return found
