"""The state directory itself (`.reconciler/`): private, and never from a repository. Called before it is used.

What stands in it is believed: the signing key, the embedded store's data, secrets, the ledgers of sandboxes. So it must
come from this machine alone.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

from reconciler.errors import InvalidInput, Place
from reconciler.source import git

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def check_state_dir(state_dir: Path) -> None:
    """Refuse a state directory that others could have filled; one that does not exist is fine. Changes nothing.

    Raises:
        InvalidInput: it is a link, another user's, writable by others, or git tracks something in it.
    """
    try:
        found = state_dir.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unsafe(state_dir, f"cannot be looked at: {error.strerror}", "Run as its owner.") from None
    if stat.S_ISLNK(found.st_mode):
        raise _unsafe(state_dir, "is a link", "Name the directory itself in RECONCILER_STATE_DIR.")
    if not stat.S_ISDIR(found.st_mode):
        raise _unsafe(state_dir, "is not a directory", "Move it away.")
    if found.st_uid not in {os.geteuid(), 0}:
        raise _unsafe(state_dir, "belongs to another user", "Run as its owner, or set RECONCILER_STATE_DIR.")
    if found.st_mode & _OTHERS_WRITE:
        hint = f"Look at what is in it, then: chmod go-w {state_dir}"
        raise _unsafe(state_dir, "can be written by others", hint)
    place = state_dir.parent.resolve() / state_dir.name
    if top := git.top_of(place):
        _check_untracked(top, str(place.relative_to(top)))


def _check_untracked(top: Path, name: str) -> None:
    outcome = git.run(top, "--literal-pathspecs", "ls-files", "-z", "--", name)
    git.check_ownership(outcome.errors, top)
    first, *others = outcome.output.split(b"\0")
    if first:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        message = f"comes from the repository{more}, so what this machine believes of itself would come from there"
        hint = f"Look at it, then: git -C {top} rm -r {name}"
        raise _unsafe(top / os.fsdecode(first), message, hint)


def _unsafe(path: Path, message: str, hint: str) -> InvalidInput:
    return InvalidInput.of("unsafe-state", f"{path} {message}", place=Place(), hint=hint)


def prepare_state_dir(state_dir: Path) -> None:
    """Make the directory (0700) with a `.gitignore` that ignores all of it; does nothing where both are there.

    Raises:
        InvalidInput: it cannot be made.
    """
    ignore = state_dir / ".gitignore"
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not ignore.exists():
            new = state_dir / f".gitignore.{os.getpid()}-{threading.get_ident()}"
            new.write_text("*\n")
            new.rename(ignore)
    except OSError as error:
        hint = "Run as a user who may write there, or name another directory in RECONCILER_STATE_DIR"
        raise InvalidInput.of("no-state-dir", f"cannot make {state_dir}: {error.strerror}", hint=hint) from None
