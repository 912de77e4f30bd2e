"""A branch of a git repository elsewhere, followed by fetching it into a bare repository of our own.

Called by the watch loop (`watch --repo URL --branch main`). Nothing of the followed repository is ever executed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from reconciler.errors import InvalidInput, Unavailable, did_you_mean
from reconciler.model.tree import Revision, Tree
from reconciler.settings import FOLLOWED
from reconciler.source import git
from reconciler.source.git_objects import GitObjects
from reconciler.source.processes import Outcome

_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
"""`ext::sh -c ...` and its like run a program named in the URL."""
_SCHEME = re.compile(r"([A-Za-z0-9+.-]+)://")
_SSH_SHORT = re.compile(r"[^/:]+:")
_BAD_BRANCH = re.compile(r"^[-/.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.lock$|\.$|^$")


class Mirror:
    """A followed branch. Several processes may share the directory; closed at the end of `with`."""

    def __init__(self, url: str, branch: str, directory: Path, *, timeout_seconds: float = 60.0) -> None:
        """Follow a branch; nothing is fetched yet.

        Args:
            url: whatever git fetches from: https, ssh, `user@host:path`, a path on this machine.
            branch: its name.
            directory: where mirrors are kept; each pair of URL and branch has its own folder in it.
            timeout_seconds: for one fetch.

        Raises:
            InvalidInput: git would run a program for this URL, or could not name the branch.
        """
        self._url = _checked_url(url)
        self._branch = _checked_branch(branch)
        name = hashlib.sha256(f"{self._url}\n{branch}".encode()).hexdigest()[:16]
        self._path = directory / f"{name}.git"
        self._timeout_seconds = timeout_seconds
        self._objects: GitObjects | None = None
        self._rewritten_from = ""

    @property
    def shown_url(self) -> str:
        """The URL without credentials, for people."""
        return git.without_credentials(self._url)

    @property
    def neighbour(self) -> Path | None:
        """The followed repository's directory, if it is on this machine."""
        path = Path(self._url.removeprefix("file://"))
        return path if path.is_absolute() and path.is_dir() else None

    @property
    def rewritten_from(self) -> str:
        """The commit that the last fetch left behind because the branch was force-pushed; empty if it was not."""
        return self._rewritten_from

    def fetch(self) -> Revision:
        """Bring the mirror up to date and return the branch's newest commit, also after a force push.

        Raises:
            InvalidInput: the repository has no such branch.
            Unavailable: it cannot be reached, refuses us, or takes too long; in git's own words.
        """
        with self._locked():
            self._make()
            objects = self._opened()
            before = self._tip()
            self._check(self._fetch(shallow=not before))
            after = self._tip()
            self._point_here()
            self._rewritten_from = before if before and not objects.is_ancestor(before, after) else ""
            return objects.revision(after, self._branch)

    def last(self) -> Revision | None:
        """The branch's newest commit that was ever fetched, also by a process before; None: there is none."""
        if not (self._path / "HEAD").exists():
            return None
        tip = self._tip()
        return self._opened().revision(tip, self._branch) if tip else None

    def revision(self, reference: str) -> Revision:
        """A commit that was fetched at some time; raises as `GitObjects.commit`."""
        objects = self._opened()
        return objects.revision(objects.commit(reference), self._branch)

    def tree(self, revision: Revision) -> Tree:
        """All files of a revision that was fetched; raises as `GitObjects.tree`."""
        return self._opened().tree(revision)

    def close(self) -> None:
        """Let go of the mirror."""
        if self._objects:
            self._objects.close()
            self._objects = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the mirror alone; whoever else holds it ends within its own time limit."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Unavailable.of("git-failed", f"cannot keep a mirror in {self._path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make(self) -> None:
        """Make the repository where there is none, and sweep away the locks of a git that was killed."""
        for stale in [*self._path.glob("*.lock"), *self._path.glob("refs/**/*.lock")]:
            stale.unlink(missing_ok=True)
        if not all((self._path / name).exists() for name in ("HEAD", "objects", "refs")):
            made = git.run(
                self._path, "init", "--quiet", "--bare", "--template=", f"--initial-branch={self._branch}", "."
            )
            if made.code != 0:
                raise Unavailable.of("git-failed", f"cannot make a mirror in {self._path}: {git.said(made.errors)}")

    def _point_here(self) -> None:
        """Let other commands find what is followed."""
        link = self._path.parent / FOLLOWED
        if not link.is_symlink() or link.readlink() != Path(self._path.name):
            new = link.with_name(f"{FOLLOWED}.{os.getpid()}")
            new.symlink_to(self._path.name)
            new.replace(link)

    def _opened(self) -> GitObjects:
        if self._objects is None:
            self._objects = GitObjects(self._path, parents=False)
        return self._objects

    def _tip(self) -> str:
        outcome = git.run(self._path, "--git-dir=.", "rev-parse", "--verify", "--quiet", self._ref)
        return outcome.output.decode().strip()

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self._branch}"

    def _fetch(self, *, shallow: bool) -> Outcome:
        """Fetch the newest commit first, later what came after it."""
        depth = ["--depth=1"] if shallow else []
        outcome = self._ask("fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", *depth)
        if shallow and "shallow capabilities" in outcome.errors:  # plain files on a web server
            return self._fetch(shallow=False)
        return outcome

    def _check(self, outcome: Outcome) -> None:
        if outcome.code == 0:
            return
        said = git.said(outcome.errors)
        if "couldn't find remote ref" in outcome.errors:
            heads = self._ask("ls-remote", "--heads").output.decode(errors="replace")
            names = [line.partition("refs/heads/")[2] for line in heads.splitlines()]
            hint = did_you_mean(self._branch, names) or (f"It has {', '.join(names[:5])}" if names else "It is empty")
            raise InvalidInput.of("no-such-branch", f"{self.shown_url} has no branch {self._branch}", hint=hint)
        raise Unavailable.of("git-failed", f"cannot fetch {self.shown_url}: {said}")

    def _ask(self, command: str, *options: str) -> Outcome:
        """Run a command that talks to the other side. The URL travels in the environment, not in sight of `ps`."""
        origin = {"remote.origin.url": self._url}
        refs = [f"+{self._ref}:{self._ref}"] if command == "fetch" else []
        running = git.start(self._path, "--git-dir=.", command, *options, "origin", *refs, options=origin)
        return git.finish(running, self._timeout_seconds)


class LastFetched:
    """The branch of a mirror as it was fetched last; fetches nothing. Closed at the end of `with`."""

    def __init__(self, path: Path) -> None:
        """Open the mirror, or a link to it."""
        self._path = path.resolve()
        self._objects = GitObjects(self._path, parents=False)

    @property
    def newest(self) -> Revision:
        """The newest commit that was fetched."""
        return self.revision("HEAD")

    def revision(self, reference: str) -> Revision:
        """A commit that was fetched; raises as `GitObjects.commit`."""
        branch = git.run(self._path, "--git-dir=.", "symbolic-ref", "--short", "HEAD").output.decode().strip()
        return self._objects.revision(self._objects.commit(reference), branch)

    def tree(self, revision: Revision) -> Tree:
        """All files of a commit that was fetched; raises as `GitObjects.tree`."""
        return self._objects.tree(revision)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._objects.close()


def _checked_url(url: str) -> str:
    """The URL, a path made absolute."""
    shown = git.without_credentials(url)
    scheme = _SCHEME.match(url)
    allowed = ", ".join(git.PROTOCOLS)
    if _HELPER.match(url) or url.startswith("-") or (scheme and scheme[1].lower() not in git.PROTOCOLS):
        raise InvalidInput.of("unsafe-url", f"git would run a program for {shown}", hint=f"Allowed: {allowed}, a path")
    if not url or not url.isprintable():
        raise InvalidInput.of("unsafe-url", f"{shown!r} is no URL of a git repository")
    if scheme or _SSH_SHORT.match(url):
        return url
    return str(Path(url).expanduser().absolute())


def _checked_branch(branch: str) -> str:
    if _BAD_BRANCH.search(branch):
        raise InvalidInput.of("malformed-branch", f"{branch!r} is no name of a branch")
    return branch
