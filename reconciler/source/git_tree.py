"""The files of git revisions, without touching the working tree: for `--against`, and where files have mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from reconciler.model.tree import Tree
from reconciler.source.git_objects import GitObjects


class GitTrees:
    """The revisions of the repository that a directory is, or lies in; closed at the end of `with`."""

    def __init__(self, directory: Path) -> None:
        """Open the repository.

        Args:
            directory: the folder that holds manifests/ and templates/, or a bare repository.

        Raises:
            InvalidInput: there is no repository, or git refuses to look at it.
            Unavailable: git is not installed.
        """
        self._objects = GitObjects(directory)
        self._folder = self._objects.folder_of(directory)

    def tree(self, reference: str) -> Tree:
        """All files at a commit, branch or tag, or at anything else that git takes for one.

        Raises:
            InvalidInput: there is no such revision; else as `GitObjects.tree`.
        """
        return self._objects.tree(self._objects.revision(self._objects.commit(reference)), self._folder)

    def close(self) -> None:
        """Let go of the repository; content that was not read by now can no longer be."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
