"""Private keys in their files, such as the controller's signing key, `keys/controller.ed25519` in the state directory.

Called by wiring. A file holds the seed as hexadecimal text, for its owner alone. Losing one means enrolling hosts
again, so none is ever replaced here, only made where there is none.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import InvalidInput
from reconciler.source.state import prepare_state_dir
from reconciler.trust import new_seed
from reconciler.trust.ed25519 import SEED_BYTES

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def key_file(state_dir: Path) -> Path:
    """Where the key is, or would be."""
    return state_dir / "keys" / "controller.ed25519"


def load_key(state_dir: Path) -> bytes | None:
    """The seed, 32 bytes; None where there is no key yet. Changes nothing.

    Raises:
        InvalidInput: others may read or replace the key, or the file holds something else.
    """
    return load_seed(key_file(state_dir))


def load_seed(path: Path) -> bytes | None:
    """The private key in a file, as `load_key`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput.of("unsafe-key", f"the key {path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        _check_private(path, os.fstat(descriptor))
        return _parse(path, file.read(4096))


def load_or_create_key(state_dir: Path, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """The seed, 32 bytes; of several processes that find none, all get the one that the first of them makes.

    Raises:
        InvalidInput: as load_key does, or the state directory cannot be written.
    """
    seed = load_key(state_dir)
    if seed is not None:
        return seed
    path = key_file(state_dir)
    try:
        prepare_state_dir(state_dir)
    except OSError as error:
        raise _cannot_make(path, error) from None
    return load_or_create_seed(path, entropy)


def next_key(state_dir: Path) -> bytes:
    """The seed of the key that is to follow the controller's, made where there is none.

    Raises:
        InvalidInput: as load_or_create_key does.
    """
    return load_or_create_seed(_next_file(state_dir))


def take_next_key(state_dir: Path) -> None:
    """From now on the next key is the controller's; the one before is gone."""
    _next_file(state_dir).rename(key_file(state_dir))


def _next_file(state_dir: Path) -> Path:
    return key_file(state_dir).with_name("next.ed25519")


def load_or_create_seed(path: Path, entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """The private key in a file, as `load_or_create_key`; its directory is made where there is none."""
    seed = load_seed(path)
    if seed is not None:
        return seed
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.parent) as folder:
            return load_seed(path) or _create(path, folder, new_seed(entropy))
    except OSError as error:
        raise _cannot_make(path, error) from None


def _cannot_make(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput.of("no-key", f"cannot make the key {path}: {error.strerror}")


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold a folder alone; yields its descriptor."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _create(path: Path, folder: int, seed: bytes) -> bytes:
    """Write the file whole or not at all; what a crash left beside it is overwritten."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
    os.fsync(folder)
    return seed


def _check_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput.of("unsafe-key", f"the key {path} is not a regular file")
    if found.st_uid not in {os.geteuid(), 0}:
        raise InvalidInput.of("unsafe-key", f"the key {path} belongs to another user")
    if found.st_mode & _OTHERS:
        raise InvalidInput.of("unsafe-key", f"others can read the key {path}", hint=f"Run: chmod 600 {path}")
    if path.parent.stat().st_mode & _OTHERS_WRITE:
        message = f"others can replace the key in {path.parent}"
        raise InvalidInput.of("unsafe-key", message, hint=f"Run: chmod 700 {path.parent}")


def _parse(path: Path, content: bytes) -> bytes:
    try:
        seed = bytes.fromhex(content.decode())
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise InvalidInput.of("unsafe-key", f"{path} holds no key ({2 * SEED_BYTES} hexadecimal digits)")
    return seed
