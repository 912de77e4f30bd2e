"""What a host is, as far as an agent's wheels depend on it: asked once, before anything is put there.

`probe` finds a Python that will do; `Platform` says which wheels fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import Place, Refused
from reconciler.resources.values import dataclass
from reconciler.transport import Machine

OLDEST = (3, 11)
NEEDED_BYTES = 100 << 20
"""Of free disk below /opt: an agent takes 25 MB, three while it is upgraded."""

_PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
_OLDEST_GLIBC_MINOR = 17
QUESTIONS = """
import json, os, sys
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or "musl"
except (ValueError, OSError):
    libc = "musl"
place = next(path for path in ("/opt/reconciler", "/opt", "/") if os.path.isdir(path))
free = os.statvfs(place)
print(json.dumps({
    "python": list(sys.version_info[:3]),
    "executable": os.path.realpath(sys.executable),
    "implementation": sys.implementation.name,
    "machine": os.uname().machine,
    "libc": libc,
    "uid": os.geteuid(),
    "systemd": os.path.isdir("/run/systemd/system"),
    "free_bytes": free.f_bavail * free.f_frsize,
}))
"""


@dataclass(frozen=True, slots=True)
class Platform:
    """A host's Python and what it runs on."""

    executable: str
    """The host's own Python, whole path."""
    python: tuple[int, int, int]
    machine: str
    """`uname -m`: x86_64, aarch64 ..."""
    libc: str
    """`glibc 2.36`, or `musl`."""

    @property
    def minor(self) -> str:
        """`3.11`; the wheels of one fit no other."""
        return f"{self.python[0]}.{self.python[1]}"

    @property
    def slug(self) -> str:
        """A name for files: hosts with the same one take the same wheels."""
        return f"cp{self.python[0]}{self.python[1]}-{self.machine}-{self.libc.replace(' ', '')}"

    @property
    def tags(self) -> Sequence[str]:
        """Platform tags of wheels that run there, as pip knows them."""
        name, _, version = self.libc.partition(" ")
        if name != "glibc":
            return (f"musllinux_1_2_{self.machine}", f"musllinux_1_1_{self.machine}")
        newest = int(version.partition(".")[2].partition(".")[0] or _OLDEST_GLIBC_MINOR)
        numbered = [f"manylinux_2_{minor}_{self.machine}" for minor in range(newest, _OLDEST_GLIBC_MINOR - 1, -1)]
        return (*numbered, f"manylinux2014_{self.machine}", f"linux_{self.machine}")

    def __str__(self) -> str:
        return f"Python {self.minor} on {self.machine} with {self.libc}"


def probe(machine: Machine, host: str) -> Platform:
    """What the host is.

    Raises:
        Refused: an agent cannot live there; with what to do about it.
        Unavailable: the connection was lost.
    """
    found = _answers(machine)
    place = Place(host=host)
    if not found:
        hint = "Debian, Ubuntu: apt-get install python3. Or leave the host at connection.type: ssh"
        raise Refused.of("no-python", "there is no python3 that starts", place=place, hint=hint)
    told = next((each for each in found if tuple(each["python"][:2]) >= OLDEST), None)
    if told is None:
        newest = ".".join(map(str, max(each["python"] for each in found)[:2]))
        hint = "Install python3.11 beside it, or leave the host at connection.type: ssh, which takes 3.9"
        raise Refused.of("old-python", f"its newest python3 is {newest}, an agent needs 3.11", place=place, hint=hint)
    _check_room(told, place)
    return platform_of(told)


def platform_of(told: Mapping[str, Any]) -> Platform:
    """From the answers to QUESTIONS."""
    return Platform(told["executable"], tuple(told["python"]), told["machine"], told["libc"])


def _answers(machine: Machine) -> list[dict[str, Any]]:
    """Of every Python that starts; of the first alone where that will do."""
    found = []
    for name in _PYTHONS:
        ended = machine.run(name, "-I", "-c", QUESTIONS)
        if ended.ok:
            found.append(json.loads(ended.stdout))
            if tuple(found[-1]["python"][:2]) >= OLDEST:
                break
    return found


def _check_room(told: dict[str, Any], place: Place) -> None:
    if told["uid"] != 0:
        hint = "Log in as root (connection.user: root), or set connection.become: true"
        raise Refused.of("not-root", "an agent is installed by root", place=place, hint=hint)
    if not told["systemd"]:
        hint = "Leave the host at connection.type: ssh"
        raise Refused.of(
            "no-systemd", "systemd is not running there, and it keeps the agent alive", place=place, hint=hint
        )
    if told["implementation"] != "cpython":
        message = f"its Python is {told['implementation']}, there are wheels for CPython only"
        raise Refused.of("no-wheels", message, place=place, hint="Install python3 beside it")
    if told["free_bytes"] < NEEDED_BYTES:
        message = f"{told['free_bytes'] >> 20} MB are free below /opt, an agent needs {NEEDED_BYTES >> 20}"
        raise Refused.of("disk-full", message, place=place, hint="Make room: apt-get clean")
