"""Writing a file into a repository that others write to as well. Called by who edits manifests, `schema` and `init`."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler.errors import InvalidInput


def write_file(root: Path, path: str, text: str) -> None:
    """Give a file below the root this text, in one step; its mode stays, its folders are made.

    Whoever commits to the repository chooses where its links lead, also links that bear the name of what is written
    beside the file. None is followed out of the repository.

    Raises:
        InvalidInput: `not-writable`.
    """
    target = (root / path).resolve()
    new = target.with_name(f".{target.name}.new")
    if not target.is_relative_to(root.resolve()):
        raise InvalidInput.of("not-writable", f"{path} leads out of the repository, to {target}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as file:
            file.write(text.encode())
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
        new.replace(target)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise InvalidInput.of("not-writable", f"{path} cannot be written: {error.strerror}") from None
