"""How this room runs git: a safe environment, time limits, errors in git's own words with credentials masked.

Objects (commits, trees, files) are read by GitPython, opened here. It takes 100 ms to import, so the two things that
every command asks of the working tree, and fetching, which needs a hard time limit, run git directly.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import InvalidInput, Unavailable
from reconciler.source.processes import Outcome, Running, TimedOut

if TYPE_CHECKING:
    from git import Repo

PROTOCOLS = ("file", "git", "http", "https", "ssh")
LOCAL_TIMEOUT_SECONDS = 30.0

_OPTIONS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "protocol.ext.allow": "never",
    "gc.autoDetach": "false",
    "advice.detachedHead": "false",
}
"""Nothing that a repository brings along is executed, nothing is left running."""

_INHERITED = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""Variables by which a git hook that runs us would point git at another repository."""

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


def environment() -> Mapping[str, str]:
    """The environment for every git process."""
    environ = {name: value for name, value in os.environ.items() if name not in _INHERITED}
    options = {
        f"GIT_CONFIG_{part}_{index}": text
        for index, pair in enumerate(_OPTIONS.items())
        for part, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return (
        environ
        | options
        | {
            "GIT_CONFIG_COUNT": str(len(_OPTIONS)),
            "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "SSH_ASKPASS_REQUIRE": "never",
            "LC_ALL": "C.UTF-8",
        }
    )


def start(directory: Path, *arguments: str) -> Running:
    """Start git in a directory.

    Raises:
        Unavailable: git is not installed.
    """
    try:
        return Running(["git", *arguments], directory=directory, environ=environment())
    except FileNotFoundError:
        raise Unavailable.of("no-git", "git is not installed", hint="Install the package git") from None


def run(directory: Path, *arguments: str, timeout_seconds: float = LOCAL_TIMEOUT_SECONDS) -> Outcome:
    """Run git in a directory to its end.

    Raises:
        Unavailable: git is not installed, or took too long.
    """
    return finish(start(directory, *arguments), timeout_seconds)


def finish(running: Running, timeout_seconds: float = LOCAL_TIMEOUT_SECONDS) -> Outcome:
    """Wait for a git process; raises as `run` does."""
    try:
        return running.outcome(timeout_seconds)
    except TimedOut:
        message = f"git took longer than {timeout_seconds:g} s and was ended"
        raise Unavailable.of("git-timeout", message, hint="Longer: RECONCILER_GIT_TIMEOUT") from None


def said(outcome: Outcome) -> str:
    """What git said last, without `fatal:` and without credentials."""
    return without_credentials(outcome.last_line.removeprefix("fatal: ").removeprefix("error: "))


def without_credentials(text: str) -> str:
    """The text with `user:password@` of every URL replaced by `***@`."""
    return _CREDENTIALS.sub("***@", text)


def open_repository(directory: Path) -> Repo:
    """The repository that a directory is, or lies in, by GitPython; the caller closes it.

    Raises:
        InvalidInput: there is none.
    """
    from git import Repo  # noqa: PLC0415 - see the module's docstring
    from git.exc import InvalidGitRepositoryError, NoSuchPathError  # noqa: PLC0415

    try:
        repository = Repo(directory, search_parent_directories=True)
    except (InvalidGitRepositoryError, NoSuchPathError):
        raise InvalidInput.of("no-git-repository", f"{directory} is no git repository") from None
    repository.git.update_environment(**environment())
    return repository
