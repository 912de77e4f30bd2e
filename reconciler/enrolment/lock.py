"""What an agent runs with: `agent.lock` beside this file, pinned and hashed by `make lock`.

Read by `release` (what a host installs) and `wheelhouse` (what is fetched for it).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from reconciler.resources.values import dataclass

INSTALLER = "pip"
"""Travels along to install the others; it is not installed itself."""

_FILE = Path(__file__).with_name("agent.lock")
_MARKER = re.compile(r" ;[^\\]*(?=\\)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One library: its version and the hashes of all its files, as pip reads them."""

    name: str
    text: str

    @property
    def unconditional(self) -> str:
        """Without the condition, which pip would ask of the Python that fetches instead of the one that installs."""
        return _MARKER.sub(" ", self.text)


def requirements() -> Sequence[Requirement]:
    """All of the lock, in its order."""
    logical = re.sub(r"\\\n", "\\\\\0", _FILE.read_text()).splitlines()
    lines = [line.replace("\\\0", "\\\n") for line in logical if line and not line.startswith("#")]
    return [Requirement(line.partition("==")[0], line) for line in lines]
