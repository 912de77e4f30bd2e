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
    from git import Git

PROTOCOLS = ("file", "git", "http", "https", "ssh")
LOCAL_TIMEOUT_SECONDS = 30.0

TRAILERS = ("-1", "--no-show-signature", "--format=%(trailers:only=true,unfold=true)")
"""Arguments of `git log` for the trailers of a commit."""

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

_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")


def environment(options: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The environment for a git process, with these configuration options besides the safe ones."""
    environ = {name: value for name, value in os.environ.items() if name not in _INHERITED}
    all_options = {**_OPTIONS, **(options or {})}
    for index, (key, value) in enumerate(all_options.items()):
        environ[f"GIT_CONFIG_KEY_{index}"] = key
        environ[f"GIT_CONFIG_VALUE_{index}"] = value
    return {
        **environ,
        "GIT_CONFIG_COUNT": str(len(all_options)),
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C.UTF-8",
    }


def top_of(directory: Path) -> Path | None:
    """The top of the working tree that a directory lies in; None where no folder upwards holds `.git`.

    Git is started there: in a folder further down it would first look for a repository in the files themselves, and
    whoever can commit files can make them look like one, whose configuration names programs to run.
    """
    return next((folder for folder in (directory, *directory.parents) if (folder / ".git").exists()), None)


def start(directory: Path, *arguments: str, options: Mapping[str, str] | None = None) -> Running:
    """Start git in a directory.

    Raises:
        Unavailable: git is not installed, or the directory is gone.
    """
    try:
        return Running(["git", *arguments], directory=directory, environ=environment(options))
    except FileNotFoundError:
        if not directory.is_dir():
            raise Unavailable.of("no-directory", f"{directory} is gone") from None
        raise _no_git() from None


def run(directory: Path, *arguments: str) -> Outcome:
    """Run git on this machine to its end; raises as `start` and `finish` do."""
    return finish(start(directory, *arguments))


def finish(running: Running, timeout_seconds: float = LOCAL_TIMEOUT_SECONDS) -> Outcome:
    """Wait for a git process.

    Raises:
        Unavailable: it took too long, and was ended.
    """
    try:
        return running.outcome(timeout_seconds)
    except TimedOut:
        message = f"git took longer than {timeout_seconds:g} s and was ended"
        raise Unavailable.of("git-timeout", message, hint="Allow more: RECONCILER_GIT_TIMEOUT") from None


def said(errors: str) -> str:
    """What git says went wrong: its last `fatal:` line that has a reason, without credentials."""
    reasons = errors.partition("fatal: Could not read from remote repository")[0].strip() or errors.strip()
    lines = [line.strip() for line in reasons.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    last = (fatal or lines or ["no reason given"])[-1]
    return without_credentials(last.removeprefix("fatal: ").removeprefix("error: "))


def check_ownership(errors: str, directory: Path) -> None:
    """Tell people that git does not read a repository that belongs to someone else.

    Raises:
        InvalidInput: that is why git failed.
    """
    if "dubious ownership" in errors:
        hint = f"Run as its owner, or trust it: git config --global --add safe.directory {directory}"
        raise InvalidInput.of("git-refused", f"{directory} belongs to another user, so git does not read it", hint=hint)


def without_credentials(text: str) -> str:
    """The text with `user:password@` of every URL replaced by `***@`."""
    return _CREDENTIALS.sub("***@", text)


def trailers(output: str) -> Mapping[str, str]:
    """What `git log` printed for TRAILERS; of several with one key the last counts."""
    pairs = (line.partition(":") for line in output.splitlines())
    return {key.strip(): value.strip() for key, mark, value in pairs if mark}


def open_repository(directory: Path) -> Git:
    """The repository at the top of a working tree, or a bare one, by GitPython; the caller closes it.

    Raises:
        InvalidInput: there is none, or git refuses to look at it.
        Unavailable: git is not installed.
    """
    here = () if (directory / ".git").exists() else ("--git-dir=.",)
    outcome = run(directory, *here, "rev-parse", "--absolute-git-dir")
    if outcome.code != 0:
        check_ownership(outcome.errors, directory)
        raise InvalidInput.of("no-git-repository", f"{directory} is no git repository")
    from git import Git  # noqa: PLC0415 - see the module's docstring

    repository = Git(directory)
    repository.update_environment(**environment(), GIT_DIR=os.fsdecode(outcome.output.rstrip(b"\n")))
    return repository


def _no_git() -> Unavailable:
    return Unavailable.of("no-git", "git is not installed", hint="Install the package git")
