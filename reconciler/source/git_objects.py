"""Commits and files of a repository, read by GitPython without a working tree. Called by git_tree and mirror."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Self

from reconciler.errors import InvalidInput, Problem, Unavailable, did_you_mean
from reconciler.model.tree import Revision, Tree, TreeFile
from reconciler.resources.values import dataclass
from reconciler.source import files, git

_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of `git ls-tree -l`."""

    mode: str
    blob: str
    size: int
    path: str


class GitObjects:
    """An open repository. One `git cat-file` process reads all its files; `close` ends it."""

    def __init__(self, directory: Path, *, parents: bool = True) -> None:
        """Open the repository that the directory is, or with `parents` lies in; raises as `git.open_repository`."""
        self._directory = directory
        self._top = git.top_of(directory.resolve()) if parents else None
        self._repository = git.open_repository(self._top or directory)
        self._lock = threading.Lock()

    def commit(self, ref: str) -> str:
        """The full hash of the commit that a branch, tag, hash or expression such as `HEAD~2` names.

        Raises:
            InvalidInput: it names none, or git refuses to look at the repository.
        """
        if ref and not ref.startswith("-"):
            code, output, errors = self._ask("rev_parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            if code == 0:
                return output
            git.check_ownership(errors, self._directory)
        raise InvalidInput.of("no-such-revision", f"{ref!r} is no revision of this repository", hint=self._hint(ref))

    def revision(self, commit: str, branch: str = "") -> Revision:
        """A commit with its trailers.

        Raises:
            Unavailable: it cannot be read.
        """
        code, output, errors = self._ask("log", *git.TRAILERS, commit)
        if code != 0:
            raise Unavailable.of("git-unreadable", f"git cannot read commit {commit[:7]}: {git.said(errors)}")
        return Revision(commit, branch, trailers=git.trailers(output))

    def tree(self, revision: Revision, folder: str = "") -> Tree:
        """All files of a revision.

        Args:
            revision: a commit of this repository.
            folder: where manifests/ and templates/ are, ending with `/`; empty for the top.

        Raises:
            InvalidInput: with every file that cannot be part of a tree.
            Unavailable: the repository cannot be read.
        """
        found: dict[str, TreeFile] = {}
        links: dict[str, str] = {}
        problems: list[Problem] = []
        sizes: dict[str, int] = {}
        for entry in self._entries(revision.commit, folder):
            if files.hidden(entry.path):
                continue
            if problem := _problem(entry):
                problems.append(problem)
            elif entry.mode == _LINK_MODE:
                links[entry.path] = self._read(entry.path, entry.blob).decode(errors="surrogateescape")
            elif files.belongs(entry.path):
                found[entry.path] = TreeFile(entry.path, entry.blob, partial(self._read, entry.path, entry.blob))
                sizes[entry.path] = entry.size
        problems += files.total_problems(sizes)
        followed = files.follow_links(found, links, problems)
        if problems:
            raise InvalidInput(problems)
        return Tree(revision, followed)

    def folder_of(self, directory: Path) -> str:
        """The path of a directory within the repository, ending with `/`; empty for its top or a bare repository."""
        if self._top is None:
            return ""
        parts = directory.resolve().relative_to(self._top.resolve()).parts
        return "".join(f"{part}/" for part in parts)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether the new commit contains the old one."""
        return self._ask("merge_base", "--is-ancestor", old, new)[0] == 0

    def close(self) -> None:
        """End the reading process; what was read stays valid."""
        self._repository.clear_cache()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _entries(self, commit: str, folder: str) -> Iterator[_Entry]:
        wanted = [f"{folder}{name}" for name in files.FOLDERS]
        code, output, errors = self._ask("ls_tree", "-r", "-l", "-z", "--full-tree", commit, "--", *wanted)
        if code != 0:
            raise Unavailable.of("git-unreadable", f"git cannot list {commit[:7]}: {git.said(errors)}")
        for line in filter(None, output.split("\0")):
            fields, _, path = line.partition("\t")
            mode, _, blob, size = fields.split()
            yield _Entry(mode, blob, int(size) if size.isdigit() else 0, path.removeprefix(folder))

    def _read(self, path: str, blob: str) -> bytes:
        try:
            with self._lock:
                content: bytes = self._repository.get_object_data(blob)[3]
        except (OSError, ValueError) as error:
            problem = files.problem(path, f"cannot be read from git: {error}", "", "git-unreadable")
            raise Unavailable(problem) from None
        return content

    def _ask(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors of a git command, by GitPython."""
        run = getattr(self._repository, command)
        code, output, errors = run(*arguments, with_extended_output=True, with_exceptions=False)
        return code, output, errors

    def _hint(self, ref: str) -> str:
        _, output, _ = self._ask("for_each_ref", "--format=%(refname:short)")
        names = output.split()
        remote = [name for name in names if ref and name.endswith(f"/{ref}")]
        if hint := did_you_mean(ref, names):
            return hint
        if remote:
            return f"Did you mean {remote[0]}?"
        if self._ask("rev_parse", "--is-shallow-repository")[1] == "true":
            return "This clone is shallow. Fetch more: git fetch --unshallow"
        return ""


def _problem(entry: _Entry) -> Problem | None:
    """What is wrong with an entry as such; where a link leads is looked at later."""
    if problem := files.name_problem(entry.path):
        return problem
    if entry.mode == _SUBMODULE_MODE:
        return files.nested_repository(entry.path)
    if entry.mode == _LINK_MODE:
        return None
    if entry.path in files.FOLDERS:
        return files.problem(entry.path, "is not a folder", "", "not-a-folder")
    return files.size_problem(entry.path, entry.size) if files.belongs(entry.path) else None
