"""The files as they are on disk now, on top of a commit. Built by wiring; the loader asks for a tree again and again.

Hashes are kept by stat, so that a tree costs one walk and one `git status` when little has changed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeAlias

from reconciler.errors import InvalidInput, Place, Problem, Unavailable
from reconciler.model.tree import Revision, Tree, TreeFile
from reconciler.resources.values import dataclass, field
from reconciler.source import files
from reconciler.source.status import Status, StatusQuery
from reconciler.source.writing import write_file

StatKey: TypeAlias = tuple[int, int, int, int]
"""Changes whenever a file's content may have: mtime and ctime in ns, size, inode."""


@dataclass(slots=True)
class _Listing:
    """What one walk found, by path."""

    files: dict[str, StatKey] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


class WorkingTree:
    """The folders manifests/ and templates/ of a directory, in a git repository or not."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._known: dict[str, tuple[StatKey, TreeFile]] = {}

    @property
    def revision(self) -> Revision:
        """The commit that is checked out, and whether files below manifests/ or templates/ differ from it."""
        return StatusQuery(self._root).answer().revision

    def tree(self) -> Tree:
        """All files but those that git ignores.

        Raises:
            InvalidInput: with every file that cannot be part of a tree, or git refuses to look at the repository.
            Unavailable: git is not installed, or hangs.
        """
        query = StatusQuery(self._root)
        listing = _Listing()
        for folder in files.FOLDERS:
            self._walk(folder, listing)
        status = query.answer()
        _forget_ignored(listing, status)
        problems = list(listing.problems.values())
        over = tuple(files.total_problems({path: size for path, (_, _, size, _) in listing.files.items()}))
        if over:
            raise InvalidInput([*problems, *over])
        found = dict(self._hashed(listing.files, problems))
        followed = files.follow_links(found, listing.links, problems)
        if problems:
            raise InvalidInput(problems)
        self._known = {path: (listing.files[path], file) for path, file in found.items()}
        return Tree(status.revision, followed)

    def read(self, path: str) -> str:
        """A file's text with its own line breaks."""
        return (self._root / path).read_bytes().decode()

    def rewrite(self, path: str, text: str) -> None:
        """Give a file another text; as `write_file`."""
        write_file(self._root, path, text)

    def _walk(self, folder: str, listing: _Listing) -> None:
        """List everything below a folder; a folder that is not there holds nothing."""
        if (self._root / folder).is_symlink():
            listing.links[folder] = str((self._root / folder).readlink())
            return
        waiting = [folder]
        while waiting:
            path = waiting.pop()
            try:
                with os.scandir(self._root / path) as entries:
                    found = list(entries)
            except FileNotFoundError:
                continue
            except OSError as error:
                listing.problems[path] = _unreadable(path, error)
                continue
            for entry in found:
                with suppress(FileNotFoundError):  # it went while we looked: it is not there, the others are
                    _list(f"{path}/{entry.name}", entry, waiting, listing)

    def _hashed(self, listed: dict[str, StatKey], problems: list[Problem]) -> Iterator[tuple[str, TreeFile]]:
        for path, key in listed.items():
            known = self._known.get(path)
            if known and known[0] == key:
                yield path, known[1]
                continue
            try:
                blob = files.blob_hash(self._content(path))
            except OSError as error:
                problems.append(_unreadable(path, error))
            else:
                yield path, TreeFile(path, blob, partial(self._read, path, blob))

    def _read(self, path: str, blob: str) -> bytes:
        """The content that the tree promised, never another one under the same hash."""
        try:
            content = self._content(path)
        except OSError as error:
            raise Unavailable(_unreadable(path, error)) from None
        if files.blob_hash(content) != blob:
            self._known.pop(path, None)
            raise Unavailable.of("changed-meanwhile", "changed while it was being read", place=Place(file=path))
        return content

    def _content(self, path: str) -> bytes:
        descriptor = os.open(f"{self._root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            return file.readall()


def _list(path: str, entry: os.DirEntry[str], waiting: list[str], listing: _Listing) -> None:
    """Put one entry of a folder where it belongs."""
    if entry.name == ".git":
        listing.problems[path] = files.nested_repository(path)
    elif files.hidden(path):
        return
    elif problem := files.name_problem(path):
        listing.problems[path] = problem
    elif entry.is_symlink():
        listing.links[path] = str(Path(entry.path).readlink())
    elif entry.is_dir(follow_symlinks=False):
        waiting.append(path)
    elif files.belongs(path):
        _list_file(path, entry.stat(follow_symlinks=False), listing)


def _list_file(path: str, found: os.stat_result, listing: _Listing) -> None:
    if not stat.S_ISREG(found.st_mode):
        listing.problems[path] = files.problem(path, "is not a regular file", "Remove it", "not-a-file")
    elif problem := files.size_problem(path, found.st_size):
        listing.problems[path] = problem
    else:
        listing.files[path] = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)


def _forget_ignored(listing: _Listing, status: Status) -> None:
    if status.ignored:
        for found in (listing.files, listing.links, listing.problems):
            for path in [path for path in found if status.ignores(path)]:
                del found[path]


def _unreadable(path: str, error: OSError) -> Problem:
    return files.problem(path, f"cannot be read: {error.strerror}", "", "unreadable-file")
