"""Stable facts of this machine, which templates may read. Called by the local transport and by agents.

Only what stays the same from day to day: a fact that changed by the minute would make every plan stale. A host over SSH
tells the same of itself with the standard library alone (`resources.facts`).
"""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from reconciler.resources.machine.facts import lasting_addresses, operating_system

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))


def facts(os_release: Iterable[Path] = OS_RELEASE) -> Mapping[str, Any]:
    """The facts, as plain JSON values with sorted keys.

    `addresses`, `architecture` (`x86_64`), `cores` (logical), `hostname`, `kernel` (`6.1.0-18-amd64`), `memory_bytes`,
    `os` {`codename`, `family` (`debian`), `id` (`ubuntu`), `name`, `version` (`24.04`)}, `python`.
    """
    import psutil  # noqa: PLC0415 - 46 ms, and only an executor needs it

    system = platform.uname()
    found = {
        "addresses": lasting_addresses(_addresses()),
        "architecture": system.machine,
        "cores": psutil.cpu_count() or 1,
        "hostname": system.node,
        "kernel": system.release,
        "memory_bytes": psutil.virtual_memory().total,
        "os": operating_system(os_release),
        "python": platform.python_version(),
    }
    return dict(sorted(found.items()))


def _addresses() -> set[str]:
    import psutil  # noqa: PLC0415 - as above

    return {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in {socket.AF_INET, socket.AF_INET6} and "%" not in address.address
    }
