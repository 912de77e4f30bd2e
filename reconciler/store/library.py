"""The Redis Functions library: the files of functions/ as one text, and its version. Loaded by `server.Server`.

Each file is the body of one function of the same name; its header documents KEYS and ARGV. KEYS[1] is the slot, the
prefix with the hash tag that every key of the call begins with: so one call is one cluster slot, a host's ACL pattern
covers it, and ids that a function finds by itself need not be declared, which they could not be.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from reconciler.resources.values import dataclass

NAME = "reconciler"


@dataclass(frozen=True, slots=True)
class Library:
    """The library's source and the hash that `reconciler_version` answers."""

    code: str
    version: str


@cache
def library() -> Library:
    """Assemble the library."""
    files = {
        file.stem: file.read_text()
        for file in sorted(Path(__file__).with_name("functions").glob("*.lua"), key=lambda file: file.name)
    }
    prelude = files.pop("_prelude")
    body = "\n".join([prelude, *(_registered(name, source) for name, source in files.items())])
    version = hashlib.sha256(body.encode()).hexdigest()[:16]
    return Library(f"#!lua name={NAME}\n{body}\n{_version_function(version)}", version)


def _registered(name: str, source: str) -> str:
    return f"redis.register_function('{NAME}_{name}', function(KEYS, ARGV)\n{source}end)\n"


def _version_function(version: str) -> str:
    return (
        f"redis.register_function{{function_name='{NAME}_version', flags={{'no-writes'}},"
        f" callback=function() return '{version}' end}}\n"
    )
