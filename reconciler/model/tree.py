"""A repository's files at one revision, as the rooms that read manifests and templates see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.resources.values import dataclass

WORKING_TREE = "working tree"
"""What a revision is called where there is no commit."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A git commit, or the working tree on top of one."""

    commit: str
    """Full commit hash; empty where the directory is no git repository or has no commit yet."""
    branch: str = ""
    dirty: bool = False
    """The working tree differs from the commit."""
    trailers: Mapping[str, str] | None = None
    """Commit trailers, such as `Reconcile-Allow-Deletes`."""

    def __str__(self) -> str:
        short = self.commit[:7] or WORKING_TREE
        return f"{short}+changes" if self.dirty and self.commit else short


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One regular file: its path in the repository with `/` between the parts, and its git blob hash."""

    path: str
    blob: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Tree:
    """The files below `manifests/` and `templates/` at one revision, by path."""

    revision: Revision
    files: Mapping[str, TreeFile]

    @property
    def content(self) -> Mapping[str, str]:
        """Path -> blob hash: trees with the same content are the same, whatever their revisions."""
        return {path: file.blob for path, file in self.files.items()}
