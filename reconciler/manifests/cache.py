"""Parsed files on disk, so that a new process need not parse 10,000 manifests again.

Called by the loader. A file's entry is known by its path, its blob hash and the code that parsed it, spread over
shards so that one changed file rewrites little. The store is pickle, for speed; that is safe because it is never read
from a repository, only from a directory that belongs to us and nobody else may write, and because the unpickler
knows no class but our own plain values. Whatever is wrong with a shard, it counts as empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import stat
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache as memoised
from pathlib import Path
from typing import Any, TypeAlias

import reconciler
from reconciler.manifests.parsed import Parsed

Key: TypeAlias = tuple[str, str]
"""Path in the repository and git blob hash."""

SHARDS = 16
MIN_SPARE = 20
"""Entries of other trees that a shard may keep, however few of this one it holds."""
_ROOMS = ("alerting", "manifests", "model", "notify", "rendering")
_MODULES = ("reconciler.model.", "reconciler.manifests.parsed", "reconciler.manifests.kinds")


class Cache:
    """Entries below a directory, which is made with mode 0700. A directory that is not ours alone is not used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "manifests"

    def read(self, keys: Iterable[Key]) -> dict[Key, Parsed]:
        """What is known of these files."""
        if not self._ours():
            return {}
        found: dict[Key, Parsed] = {}
        for shard, wanted in _by_shard(keys).items():
            known = self._load(shard)
            found.update((key, known[key]) for key in wanted if key in known)
        return found

    def write(self, entries: Mapping[Key, Parsed], present: Iterable[Key]) -> None:
        """Remember new entries. `present` are all files of the tree: what is not among them may be dropped.

        A shard keeps as much of other trees as it holds of this one, so that two branches do not push each other out.
        """
        if not self._ours(make=True):
            return
        self._drop_old_code()
        used = set(present)
        for shard, keys in _by_shard(entries).items():
            known = self._load(shard)
            spare = [key for key in known if key not in used]
            mine = len(known) - len(spare) + len(keys)
            for key in spare[: max(0, len(spare) - max(mine, MIN_SPARE))]:
                del known[key]
            known.update((key, entries[key]) for key in keys)
            self._save(shard, known)

    def _ours(self, *, make: bool = False) -> bool:
        try:
            if make:
                self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            status = self._directory.lstat()
        except OSError:
            return False
        private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o022
        return private and status.st_uid == os.geteuid()

    def _drop_old_code(self) -> None:
        """Remove what other versions of the code wrote."""
        with contextlib.suppress(OSError):
            for old in self._directory.iterdir():
                if not old.name.startswith(".") and not old.name.endswith(f"-{_code_version()}"):
                    old.unlink(missing_ok=True)

    def _path(self, shard: str) -> Path:
        return self._directory / f"{shard}-{_code_version()}"

    def _load(self, shard: str) -> dict[Key, Parsed]:
        try:
            with self._path(shard).open("rb") as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    return {}
                known = _Unpickler(io.BytesIO(file.read())).load()
        except Exception:  # noqa: BLE001 - a damaged pickle can raise anything; then the files are parsed again
            return {}
        return known if isinstance(known, dict) else {}

    def _save(self, shard: str, known: dict[Key, Parsed]) -> None:
        target = self._path(shard)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        with contextlib.suppress(OSError):  # a full disk costs the cache, not the run
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                pickle.dump(known, file, protocol=pickle.HIGHEST_PROTOCOL)
            beside.replace(target)


class _Unpickler(pickle.Unpickler):
    """Builds our own plain values only."""

    def find_class(self, module: str, name: str) -> Any:
        plain = (module, name) in {
            ("datetime", "datetime"),
            ("datetime", "time"),
            ("datetime", "timezone"),
            ("reconciler.errors", "Place"),
        }
        if plain or module.startswith(_MODULES):
            found = super().find_class(module, name)
            if isinstance(found, type) and (found.__module__, found.__qualname__) == (module, name):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no value of a manifest")


def _by_shard(keys: Iterable[Key]) -> Mapping[str, list[Key]]:
    shards: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        shards[f"{zlib.crc32(key[0].encode()) % SHARDS:x}"].append(key)
    return shards


@memoised
def _code_version() -> str:
    """A hash of the sources that parse, and of the Python that runs them."""
    found = hashlib.blake2b(sys.version.encode(), digest_size=8)
    package = Path(reconciler.__file__).parent
    for room in _ROOMS:
        for source in sorted((package / room).rglob("*.py")):
            found.update(source.relative_to(package).as_posix().encode() + b"\0" + source.read_bytes())
    return found.hexdigest()
