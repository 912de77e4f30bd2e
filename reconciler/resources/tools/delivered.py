"""Whether a file is still as the distribution's package brought it, asked of dpkg's and rpm's own records.

Used by the kinds that stand at a path, so that replacing such a file needs no `adopt: replace`.
"""

from __future__ import annotations

from typing import List

from reconciler.resources.machine.system import Command, System

_DPKG_STATUS = "/var/lib/dpkg/status"
_ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
"""By the digits of their sums: rpm's databases hold one of these."""


def as_delivered(system: System, path: str, content: bytes) -> bool:
    """Whether a package brought this very content."""
    import hashlib  # noqa: PLC0415 - slow to load, and few files are asked about

    status = system.read(_DPKG_STATUS)
    sums = _conffiles(status[1].decode(errors="replace"), path) if status else _rpm_sums(system, path)
    known = [(each, _ALGORITHMS[len(each)]) for each in sums if len(each) in _ALGORITHMS]
    return any(hashlib.new(name, content, usedforsecurity=False).hexdigest() == each for each, name in known)


def _conffiles(status: str, path: str) -> List[str]:
    """The md5 sums that dpkg's status file lists for a configuration file.

    Source: deb-conffiles(5), dpkg-query(1): lines ` PATH MD5 [obsolete]` below `Conffiles:`.
    """
    lead = f" {path} "
    return [line[len(lead) :].split(" ")[0] for line in status.splitlines() if line.startswith(lead)]


def _rpm_sums(system: System, path: str) -> List[str]:
    """The sums that rpm knows of a file; see rpm(8), FILEDIGESTS."""
    if not system.has_program("rpm"):
        return []
    argv = ("rpm", "--query", "--queryformat", "[%{FILENAMES}\t%{FILEDIGESTS}\n]", "--file", path)
    rows = [line.split("\t") for line in system.run(Command(argv)).stdout.splitlines()]
    return [row[1] for row in rows if len(row) == 2 and row[0] == path]
