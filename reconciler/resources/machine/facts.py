"""Stable facts of the machine that this runs on, by the standard library alone; sent by the far end of a channel.

`probes.facts` measures the same of an executor's own machine and shares what is said here of systems and addresses.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import sys
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Union

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def facts() -> Mapping[str, Any]:
    """The facts, as plain JSON values with sorted keys; see `probes.facts.facts`."""
    system = os.uname()
    found = {
        "addresses": lasting_addresses([*_addresses_v4(), *_addresses_v6()]),
        "architecture": system.machine,
        "cores": os.cpu_count() or 1,
        "hostname": system.nodename,
        "kernel": system.release,
        "memory_bytes": _memory_bytes(),
        "os": operating_system(),
        "python": sys.version.split()[0],
    }
    return dict(sorted(found.items()))


def boot_id() -> str:
    """What tells one boot of the machine from the next (random(4)); empty where the kernel does not say."""
    return _read("/proc/sys/kernel/random/boot_id").strip()


def operating_system(os_release: Iterable[Union[str, "os.PathLike[str]"]] = OS_RELEASE) -> Mapping[str, str]:
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


def _family(own: str, parents: List[str]) -> str:
    """Rocky Linux says `rhel centos fedora`, Mint `ubuntu debian`, openSUSE `opensuse suse`: take the family's head."""
    known = [family for family in _FAMILIES if family in (own, *parents)]
    return known[0] if known else own


def _os_release(path: Union[str, "os.PathLike[str]"]) -> Dict[str, str]:
    lines = _read(path).splitlines()
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): _unquoted(value) for name, mark, value in pairs if mark}


def _unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value)[:1])
    except ValueError:
        return value


def lasting_addresses(texts: Iterable[str]) -> List[str]:
    """IPv4 before IPv6, in numeric order, without loopback, link-local and temporary (RFC 8981) ones."""
    temporary = _temporary_addresses()
    found = {ipaddress.ip_address(text) for text in texts}
    ordered = sorted(filter(_lasting, found), key=lambda address: (address.version, int(address)))
    return [str(address) for address in ordered if address not in temporary]


def _lasting(address: Address) -> bool:
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def _addresses_v4() -> List[str]:
    """The machine's own addresses in the kernel's routing trie."""
    return re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", _read("/proc/net/fib_trie"))


_INET6 = "/proc/net/if_inet6"
_TEMPORARY_FLAG = 0x01
"""IFA_F_TEMPORARY of linux/if_addr.h."""


def _inet6_rows() -> List[List[str]]:
    """Address, index, prefix, scope, flags, name by line."""
    return [line.split() for line in _read(_INET6).splitlines()]


def _addresses_v6() -> List[str]:
    return [str(_address_v6(row)) for row in _inet6_rows()]


def _temporary_addresses() -> FrozenSet[Address]:
    """IPv6 addresses that the kernel replaces every day."""
    return frozenset(_address_v6(row) for row in _inet6_rows() if int(row[4], 16) & _TEMPORARY_FLAG)


def _address_v6(row: List[str]) -> Address:
    return ipaddress.IPv6Address(bytes.fromhex(row[0]))


def _memory_bytes() -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _read(path: Union[str, "os.PathLike[str]"]) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
