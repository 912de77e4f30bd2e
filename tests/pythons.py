"""The Pythons of this machine, for tests of what runs on hosts with another one than ours."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
"""What a host may have."""


def interpreter(version: str) -> Path | None:
    """A Python of this version, as pyenv, uv or the distribution installed it."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    own = sorted([*home.glob(f".pyenv/versions/{version}.*/bin/python3"), *_of_uv(home, version)])
    named = shutil.which(f"python{version}", path="/usr/local/bin:/usr/bin")
    return next(iter(own), Path(named) if named else None)


def _of_uv(home: Path, version: str) -> list[Path]:
    return list(home.glob(f".local/share/uv/python/cpython-{version}.*/bin/python3"))
