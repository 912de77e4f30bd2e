"""Which files make up a tree, the same for the working tree and for a git revision. Called by both readers.

Pure: the readers list what is there (files, symbolic links), this module says what of it belongs and what is wrong.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping

from reconciler.errors import Place, Problem
from reconciler.model.texts import printable
from reconciler.model.tree import TreeFile

FOLDERS = ("manifests", "templates")

_LIMITS_BYTES = {"manifests": 2 << 20, "templates": 1 << 20}
"""Of one file. 2 MiB of YAML hold about 10,000 hosts and parse in a few seconds."""

_TOTAL_BYTES = {"manifests": 32 << 20, "templates": 64 << 20}
"""Of all files below a folder: 10,000 manifests of 3 KB, or 6,000 templates of 10 KB."""

_LONGEST_CHAIN = 8
"""Of symbolic links that lead to symbolic links."""


def belongs(path: str) -> bool:
    """Whether a regular file at this path is part of a tree: YAML that is not hidden, or anything in templates/."""
    folder, *parts = path.split("/")
    if folder == "templates":
        return True
    return path.endswith((".yaml", ".yml")) and not any(part.startswith(".") for part in parts)


def hidden(path: str) -> bool:
    """Whether nobody looks at what stands at this path or below it."""
    folder, *parts = path.split("/")
    return folder == "manifests" and any(part.startswith(".") for part in parts)


def blob_hash(content: bytes) -> str:
    """The name that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def name_problem(path: str) -> Problem | None:
    """What is wrong with a path as such."""
    if path.isprintable() and not {".", ".."} & set(path.split("/")):
        return None
    return problem(printable(path), "has a name that not every system can hold", "Rename it", "bad-file-name")


def size_problem(path: str, size: int) -> Problem | None:
    """What is wrong with a file of that many bytes."""
    folder = path.split("/", 1)[0]
    limit = _LIMITS_BYTES[folder]
    if size <= limit:
        return None
    return problem(path, f"has {size} bytes; {limit} are allowed below {folder}/", "Split it", "file-too-large")


def total_problems(sizes: Mapping[str, int]) -> Iterator[Problem]:
    """What is wrong with so many bytes together (path -> size)."""
    for folder, limit in _TOTAL_BYTES.items():
        total = sum(size for path, size in sizes.items() if path.startswith(f"{folder}/"))
        if total > limit:
            told = f"has {total} bytes in all; {limit} are allowed below {folder}/"
            yield problem(folder, told, "Keep other files elsewhere, or split the fleet", "tree-too-large")


def nested_repository(path: str) -> Problem:
    """The problem of a submodule or a clone inside the tree, whose files git does not count as ours."""
    folder = path.removesuffix("/.git")
    return problem(folder, "is a git repository of its own", "Keep its files as files of this one", "nested-repository")


def follow_links(
    files: Mapping[str, TreeFile], links: Mapping[str, str], problems: list[Problem]
) -> dict[str, TreeFile]:
    """All files by sorted path, those included that a symbolic link leads to.

    A link must lead to a file of the same tree, so that whatever it shows is watched, hashed and committed with it.

    Args:
        files: regular files by path.
        links: path of a symbolic link -> its target, as written.
        problems: takes one for each link that leads elsewhere.
    """
    followed = dict(files)
    for path in sorted(links):
        target = _target(path, links)
        if target in files:
            if belongs(path):
                followed[path] = TreeFile(path, files[target].blob, files[target].read)
        else:
            message = f"is a symbolic link to {printable(links[path])}"
            hint = "A link must lead to a file below manifests/ or templates/"
            problems.append(problem(path, message, hint, "unsafe-link"))
    return dict(sorted(followed.items()))


def _target(path: str, links: Mapping[str, str]) -> str:
    """Where a link ends, by the text of the links alone; what leads out of the repository names no file of it."""
    for _ in range(_LONGEST_CHAIN):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), links[path]))
        if path not in links:
            return path
    return ""


def problem(path: str, message: str, hint: str, code: str) -> Problem:
    """A problem with a file of the tree."""
    return Problem(Place(file=path), message, hint, code)
