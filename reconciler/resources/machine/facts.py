"""Stable facts of the machine that this runs on, by the standard library alone; sent by the far end of a channel.

`probes.facts` measures the same of an executor's own machine and shares what is said here of systems and addresses.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Dict, Iterable, List, Mapping, Tuple, Union

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")


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
    """What a shell makes of a value, of which os-release(5) allows one in quotes with some signs escaped."""
    text = value.strip()
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return text
    return re.sub(r"\\([\\\"'$`])", r"\1", text[1:-1])


def lasting_addresses(texts: Iterable[str]) -> List[str]:
    """IPv4 before IPv6, in numeric order, without loopback, link-local and temporary (RFC 8981) ones."""
    distinct = set(texts)
    v4 = (text for text in distinct if ":" not in text and not text.startswith(_NEAR_V4))
    v6 = [text for text in distinct if ":" in text]
    return [*sorted(v4, key=_number_v4), *(_lasting_v6(v6) if v6 else ())]


_NEAR_V4 = ("0.0.0.0", "127.", "169.254.")  # noqa: S104 - nothing listens here
"""Unspecified, loopback and link-local."""


def _number_v4(text: str) -> Tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _lasting_v6(texts: Iterable[str]) -> List[str]:
    from ipaddress import IPv6Address  # noqa: PLC0415 - slow to load, and many hosts have no such address

    temporary = {IPv6Address(_colons(row[0])) for row in _inet6_rows() if int(row[4], 16) & _TEMPORARY_FLAG}
    found = sorted({IPv6Address(text) for text in texts} - temporary)
    return [str(each) for each in found if not (each.is_loopback or each.is_link_local or each.is_unspecified)]


def _addresses_v4() -> List[str]:
    """The machine's own addresses in the kernel's routing trie."""
    return re.findall(r"\|-- ([\d.]+)\n\s+/32 host LOCAL", _read("/proc/net/fib_trie"))


_INET6 = "/proc/net/if_inet6"
_NEAR_SCOPES = {"10", "20"}
"""IPV6_ADDR_LOOPBACK and IPV6_ADDR_LINKLOCAL of the kernel's net/ipv6.h."""
_TEMPORARY_FLAG = 0x01
"""IFA_F_TEMPORARY of linux/if_addr.h."""


def _inet6_rows() -> List[List[str]]:
    """Address, index, prefix, scope, flags, name by line."""
    return [line.split() for line in _read(_INET6).splitlines()]


def _addresses_v6() -> List[str]:
    """Those by which others than neighbours could reach the machine."""
    return [_colons(row[0]) for row in _inet6_rows() if row[3] not in _NEAR_SCOPES]


def _colons(digits: str) -> str:
    return ":".join(re.findall("....", digits))


def _memory_bytes() -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB", _read("/proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * 1024 if found else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _read(path: Union[str, "os.PathLike[str]"]) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
