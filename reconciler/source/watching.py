"""Telling when files of the working tree change. Called by the watch loop, which then asks for the whole tree again.

A burst of events is one change. What exactly happened is of no interest: a tick is level-triggered.
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
CHECK_MILLISECONDS = 1_000
"""How often folders are looked for that came, went or were replaced, which a watch does not notice."""


def watch_changes(root: Path, stop_event: Event) -> Iterator[frozenset[str]]:
    """Paths below manifests/ and templates/ that changed, set by set, until the event is set (noticed within 0.1 s).

    A folder that appears, goes, or is replaced (as `git checkout` does) is told by its own name.

    Raises:
        Unavailable: the system cannot watch more files.
    """
    root = root.resolve()
    folders = _folders(root)
    while not stop_event.is_set():
        yield from _watch(root, folders, stop_event)
        changed = _folders(root)
        differing = frozenset(name for name in FOLDERS if folders.get(name) != changed.get(name))
        folders = changed
        if differing and not stop_event.is_set():
            yield differing


def _watch(root: Path, folders: dict[str, int], stop_event: Event) -> Iterator[frozenset[str]]:
    """Changes within these folders, until they are no longer the same or the event is set."""
    from watchfiles import watch  # noqa: PLC0415 - 90 ms, and only `watch` needs it

    if not folders:
        while not stop_event.wait(CHECK_MILLISECONDS / 1000) and _folders(root) == folders:
            pass
        return
    changes = watch(
        *(root / name for name in folders),
        watch_filter=None,
        debounce=LONGEST_BURST_MILLISECONDS,
        step=QUIET_MILLISECONDS,
        stop_event=stop_event,
        rust_timeout=CHECK_MILLISECONDS,
        yield_on_timeout=True,
    )
    try:
        for changed in changes:
            if changed:
                yield frozenset(Path(path).relative_to(root).as_posix() for _, path in changed)
            if _folders(root) != folders:
                return
    except OSError as error:
        hint = "Raise the limit: sysctl fs.inotify.max_user_watches=1048576"
        raise Unavailable.of("cannot-watch", f"cannot watch {root}: {error}", hint=hint) from None


def _folders(root: Path) -> dict[str, int]:
    """The watched folders that exist, with their inodes."""
    found = {}
    for name in FOLDERS:
        try:
            found[name] = (root / name).stat().st_ino
        except OSError:
            continue
    return found
