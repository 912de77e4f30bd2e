"""Stable facts of this machine, which templates may read. Called by the local transport and by agents.

Only what stays the same from day to day: a fact that changed by the minute would make every plan stale.
"""

from __future__ import annotations

import ipaddress
import platform
import shlex
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))


def facts(os_release: Iterable[Path] = OS_RELEASE) -> Mapping[str, Any]:
    """The facts, as plain JSON values with sorted keys.

    `addresses`, `architecture` (`x86_64`), `cores` (logical), `hostname`, `kernel` (`6.1.0-18-amd64`), `memory_bytes`,
    `os` {`codename`, `family` (`debian`), `id` (`ubuntu`), `name`, `version` (`24.04`)}, `python`.
    """
    import psutil  # noqa: PLC0415 - 46 ms, and only an executor needs it

    system = platform.uname()
    found = {
        "addresses": _addresses(),
        "architecture": system.machine,
        "cores": psutil.cpu_count() or 1,
        "hostname": system.node,
        "kernel": system.release,
        "memory_bytes": psutil.virtual_memory().total,
        "os": operating_system(os_release),
        "python": platform.python_version(),
    }
    return dict(sorted(found.items()))


def operating_system(os_release: Iterable[Path] = OS_RELEASE) -> Mapping[str, str]:
    """What the first readable os-release file says; a field that it lacks is empty.

    Source: https://www.freedesktop.org/software/systemd/man/latest/os-release.html. `family` is the
    distribution whose habits it shares, `debian` for Ubuntu and Mint,
    `rhel` for Rocky Linux; its own id where that is not known.
    """
    fields = next(filter(None, map(_os_release, os_release)), {})
    own = fields.get("ID", "linux")
    parents = fields.get("ID_LIKE", "").split()
    return {
        "codename": fields.get("VERSION_CODENAME", ""),
        "family": _family(own, parents),
        "id": own,
        "name": fields.get("PRETTY_NAME", ""),
        "version": fields.get("VERSION_ID", ""),
    }


_FAMILIES = ("debian", "rhel", "fedora", "suse", "arch", "alpine")


def _family(own: str, parents: list[str]) -> str:
    """Rocky Linux says `rhel centos fedora`, Mint `ubuntu debian`, openSUSE `opensuse suse`: take the family's head."""
    known = [family for family in _FAMILIES if family in (own, *parents)]
    return known[0] if known else own


def _os_release(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): _unquoted(value) for name, mark, value in pairs if mark}


def _unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value)[:1])
    except ValueError:
        return value


def _addresses() -> list[str]:
    """IPv4 before IPv6, in numeric order, without loopback, link-local and temporary (RFC 8981) ones."""
    import psutil  # noqa: PLC0415 - as above

    texts = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in {socket.AF_INET, socket.AF_INET6} and "%" not in address.address
    }
    found = [address for text in texts if _lasting(address := ipaddress.ip_address(text))]
    temporary = _temporary_addresses()
    ordered = sorted(found, key=lambda address: (address.version, int(address)))
    return [str(address) for address in ordered if address not in temporary]


def _lasting(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


_TEMPORARY_FLAG = 0x01
"""IFA_F_TEMPORARY of linux/if_addr.h."""


def _temporary_addresses() -> frozenset[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """IPv6 addresses that the kernel replaces every day: address, index, prefix, scope, flags, name by line."""
    try:
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    except OSError:
        return frozenset()
    rows = [line.split() for line in lines]
    return frozenset(ipaddress.IPv6Address(bytes.fromhex(row[0])) for row in rows if int(row[4], 16) & _TEMPORARY_FLAG)
