"""What git says of a working tree: commit, branch, trailers, differences, ignored files. Called by working_tree.

One `git status` answers nearly all of it, and runs while the caller walks the files; trailers are asked for if needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path

from reconciler.errors import InvalidInput
from reconciler.model.tree import Revision
from reconciler.resources.values import dataclass
from reconciler.source import git
from reconciler.source.files import FOLDERS
from reconciler.source.processes import Running

_STATUS = (
    "--literal-pathspecs",
    "status",
    "--porcelain=v2",
    "--branch",
    "-z",
    "--untracked-files=all",
    "--ignored=matching",
)


@dataclass(frozen=True, slots=True)
class Status:
    """The answer; a directory outside of any repository has no commit and ignores nothing."""

    revision: Revision
    ignored: frozenset[str] = frozenset()
    """Paths below the root; a folder ends with `/`."""

    def ignores(self, path: str) -> bool:
        """Whether git ignores the file, or a folder that it lies in."""
        if not self.ignored:
            return False
        parts = path.split("/")
        folders = ("/".join(parts[:depth]) + "/" for depth in range(1, len(parts)))
        return path in self.ignored or any(folder in self.ignored for folder in folders)


class StatusQuery:
    """A question to git that is being answered."""

    def __init__(self, root: Path) -> None:
        """Ask about the files below a root; the root may lie anywhere in a repository."""
        self._root = root
        self._top = git.top_of(root)
        self._running = self._begin(self._top) if self._top else None

    def _begin(self, top: Path) -> Running:
        folder = self._root.relative_to(top)
        return git.start(top, *_STATUS, "--", *(str(folder / name) for name in FOLDERS))

    def answer(self) -> Status:
        """Wait for the answer.

        Raises:
            InvalidInput: git refuses to look at the repository.
            Unavailable: git is not installed, or hangs.
        """
        if self._top is None or self._running is None:
            return Status(Revision(""))
        outcome = git.finish(self._running)
        if outcome.code != 0:
            git.check_ownership(outcome.errors, self._top)
            raise InvalidInput.of("git-refused", f"git status in {self._top}: {git.said(outcome.errors)}")
        prefix = "".join(f"{part}/" for part in self._root.relative_to(self._top).parts)
        return _parse(outcome.output.decode(errors="surrogateescape"), prefix, self._top)


def _parse(output: str, prefix: str, top: Path) -> Status:
    headers: dict[str, str] = {}
    ignored: set[str] = set()
    dirty = False
    for kind, rest in _records(output):
        if kind == "#":
            name, _, value = rest.partition(" ")
            headers[name] = value
        elif kind == "!":
            ignored.add(rest.removeprefix(prefix))
        else:
            dirty = True
    commit = headers.get("branch.oid", "(initial)")
    branch = headers.get("branch.head", "(detached)")
    revision = Revision(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        dirty=dirty,
        trailers=_Trailers(top, commit) if commit != "(initial)" else None,
    )
    return Status(revision, frozenset(ignored))


def _records(output: str) -> Iterator[tuple[str, str]]:
    """Kind and rest of each record of porcelain v2 with -z; a rename (`2`) has its old path as one more field."""
    parts = iter(output.split("\0"))
    for part in parts:
        if part:
            yield part[0], part[2:]
        if part.startswith("2 "):
            next(parts, None)


class _Trailers(Mapping[str, str]):
    """The trailers of a commit. Git is asked for them when somebody wants to know: most commands do not."""

    def __init__(self, top: Path, commit: str) -> None:
        self._ask = partial(_trailers, top, commit)

    def __getitem__(self, key: str) -> str:
        return self._ask()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask())

    def __len__(self) -> int:
        return len(self._ask())


@lru_cache(maxsize=16)
def _trailers(top: Path, commit: str) -> Mapping[str, str]:
    outcome = git.run(top, "log", *git.TRAILERS, commit)
    return git.trailers(outcome.output.decode(errors="replace"))
