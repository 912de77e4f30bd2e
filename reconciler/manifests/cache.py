"""Parsed files on disk, so that a new process need not parse 10,000 manifests again.

Called by the loader. A file's entry is known by its path, its blob hash and the code that parsed it, spread over
shards so that one changed file rewrites little. The store is pickle, for speed; that is safe because it is never read
from a repository, only from a shelf, which belongs to us and nobody else may write, and because the unpickler knows no
class but our own plain values. Whatever is wrong with a shard, it counts as empty.
"""

from __future__ import annotations

import io
import pickle
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from reconciler.directories import PARSED
from reconciler.manifests.parsed import Parsed
from reconciler.shelf import Shelf, code_version

Key: TypeAlias = tuple[str, str]
"""Path in the repository and git blob hash."""

SHARDS = 16
MIN_SPARE = 20
"""Entries of other trees that a shard may keep, however few of this one it holds."""
_MODULES = ("reconciler.model.", "reconciler.manifests.parsed", "reconciler.manifests.kinds")


class Cache:
    """Entries below a directory."""

    def __init__(self, directory: Path) -> None:
        self._shelf = Shelf(directory / PARSED)

    @property
    def empty(self) -> bool:
        """Whether nothing is kept here, of whatever version."""
        return not self._shelf.names()

    def read(self, keys: Iterable[Key]) -> dict[Key, Parsed]:
        """What is known of these files."""
        found: dict[Key, Parsed] = {}
        for shard, wanted in _by_shard(keys).items():
            known = self._load(shard)
            found.update((key, known[key]) for key in wanted if key in known)
        return found

    def write(self, entries: Mapping[Key, Parsed], present: Iterable[Key]) -> None:
        """Remember new entries. `present` are all files of the tree: what is not among them may be dropped.

        A shard keeps as much of other trees as it holds of this one, so that two branches do not push each other out.
        """
        self._drop_old_code()
        used = set(present)
        for shard, keys in _by_shard(entries).items():
            known = self._load(shard)
            spare = [key for key in known if key not in used]
            mine = len(known) - len(spare) + len(keys)
            for key in spare[: max(0, len(spare) - max(mine, MIN_SPARE))]:
                del known[key]
            known.update((key, entries[key]) for key in keys)
            self._shelf.write(_named(shard), pickle.dumps(known, protocol=pickle.HIGHEST_PROTOCOL))

    def _drop_old_code(self) -> None:
        """Remove what other versions of the code wrote."""
        for name in self._shelf.names():
            if not name.endswith(f"-{code_version()}"):
                self._shelf.remove(name)

    def _load(self, shard: str) -> dict[Key, Parsed]:
        written = self._shelf.read(_named(shard))
        if written is None:
            return {}
        try:
            known = _Unpickler(io.BytesIO(written)).load()
        except Exception:  # noqa: BLE001 - a damaged pickle can raise anything; then the files are parsed again
            return {}
        return known if isinstance(known, dict) else {}


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


def _named(shard: str) -> str:
    return f"{shard}-{code_version()}"
