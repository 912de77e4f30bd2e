"""The files of a git revision, without touching the working tree. Called for `--against` and `rollback --to`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from reconciler.model.tree import Revision, Tree
from reconciler.source.git_objects import GitObjects


class GitTree:
    """One revision of the repository that a directory is, or lies in; closed at the end of `with`."""

    def __init__(self, directory: Path, ref: str) -> None:
        """Find the revision.

        Args:
            directory: the folder that holds manifests/ and templates/, or a bare repository.
            ref: a commit, branch or tag, or anything else that git takes for one.

        Raises:
            InvalidInput: there is no repository, or it has no such revision.
            Unavailable: git is not installed.
        """
        self._objects = GitObjects(directory)
        self._folder = self._objects.folder_of(directory)
        try:
            self._revision = self._objects.revision(self._objects.commit(ref))
        except BaseException:
            self.close()
            raise

    @property
    def revision(self) -> Revision:
        """The commit that the ref named when this was made."""
        return self._revision

    def tree(self) -> Tree:
        """All files; raises as `GitObjects.tree`."""
        return self._objects.tree(self._revision, self._folder)

    def close(self) -> None:
        """Let go of the repository; content that was not read by now can no longer be."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
