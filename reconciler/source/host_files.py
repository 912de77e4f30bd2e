"""What an agent keeps on its host: `keys.json`, the list of keys that it trusts, and `sealing.key`. Called by wiring.

Whoever may write here is root on the host already, so what stands here is believed; others must not be able to.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import InvalidInput, Refused
from reconciler.source.keys import load_or_create_seed
from reconciler.trust import TrustedKeys

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_HINT = "The ops server delivers it: reconcile hosts enroll HOST"


class PinnedKeys:
    """The pinned list in its file; it is read once, and replaced by one with a higher version only."""

    def __init__(self, directory: Path) -> None:
        """Read it.

        Raises:
            InvalidInput: there is none, others could have written it, or it is no such list.
        """
        self._file = directory / "keys.json"
        self._keys = _read(self._file)

    @property
    def keys(self) -> TrustedKeys:
        """The list in force."""
        return self._keys

    def replace(self, keys: TrustedKeys) -> None:
        """Put a newer list in force, on disk before in memory.

        Raises:
            Refused: its version does not rise.
            InvalidInput: it cannot be written.
        """
        if keys.version <= self._keys.version:
            raise Refused.of("replayed", f"the key list has version {keys.version}, known is {self._keys.version}")
        try:
            write_keys(self._file.parent, keys)
        except OSError as error:
            message = f"the new list of keys cannot be written to {self._file}: {error.strerror}"
            raise InvalidInput.of("no-keys", message) from None
        self._keys = keys


def write_keys(directory: Path, keys: TrustedKeys) -> None:
    """Write the list, whole or not at all."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = directory / ".keys.json.new"
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(keys.to_json(), indent=2) + "\n")
        file.flush()
        os.fsync(descriptor)
    new.rename(directory / "keys.json")
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sealing_key(directory: Path, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """The private half of the key that secrets are sealed to, made where there is none.

    Raises:
        InvalidInput: it cannot be made or read, or others may read it.
    """
    return load_or_create_seed(directory / "sealing.key", entropy)


def _read(file: Path) -> TrustedKeys:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            content = opened.read(1 << 20)
    except OSError as error:
        raise InvalidInput.of("no-keys", f"{file} cannot be read: {error.strerror}", hint=_HINT) from None
    if found.st_uid not in {os.geteuid(), 0} or found.st_mode & _OTHERS_WRITE or not stat.S_ISREG(found.st_mode):
        raise InvalidInput.of("unsafe-key", f"others can write {file}", hint=f"Look at it, then: chmod 644 {file}")
    try:
        return TrustedKeys.from_json(json.loads(content))
    except (ValueError, RecursionError, Refused) as error:
        raise InvalidInput.of("no-keys", f"{file} holds no list of keys: {error}", hint=_HINT) from None
