"""Whether a server is the one that it should be: its key against the manifest's `hostKey` or known_hosts.

Asked by `dialing` before anything is sent; there is no way around it. Knows keys as they stand in files: a type and
base64 text.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from reconciler.errors import Place, Unavailable
from reconciler.resources.values import dataclass, field
from reconciler.transport.route import Stop

_SSH_PORT = 22
_PREFIX = "SHA256:"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A server's key."""

    kind: str
    """`ssh-ed25519` and the like."""
    text: str
    """base64."""

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return _PREFIX + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a server's key may be."""

    keys: tuple[PublicKey, ...] = ()
    fingerprint: str = ""
    """Where only that is known, of a key of any type."""
    revoked: tuple[PublicKey, ...] = ()
    source: str = "connection.hostKey"
    """Where that stands: the field of the manifest, or a known_hosts file."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Types of the keys that are known, to be asked for first."""
        return tuple(dict.fromkeys(key.kind for key in self.keys))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*([self.fingerprint] if self.fingerprint else []), *_prints(self.keys)]))

    def accepts(self, key: PublicKey) -> bool:
        """Whether a server with this key is the right one."""
        return key not in self.revoked and key.fingerprint in self.fingerprints


def expected_of(stop: Stop, known_name: str, port: int, files: Sequence[Path]) -> Expected:
    """What the manifest says, else what the first known_hosts file says that knows the server.

    Raises:
        Unavailable: `invalid-host-key`, the manifest's own is neither a key nor a fingerprint.
    """
    if stop.host_key is not None:
        return _declared(stop.name, stop.host_key)
    name = known_name.lower() if port == _SSH_PORT else f"[{known_name.lower()}]:{port}"
    revoked: list[PublicKey] = []
    for path in files:
        known = _read(str(path), _modified(path))
        keys = known.keys(name)
        revoked += known.revoked(name)
        if keys:
            return Expected(keys=keys, revoked=tuple(revoked), source=str(path))
    return Expected(revoked=tuple(revoked), source="")


def check(place: str, expected: Expected, key: PublicKey, known_name: str) -> None:
    """Let only the right server pass.

    Args:
        place: the host, or jump host, that people know.
        expected: what its key may be.
        key: what the server showed.
        known_name: its name in known_hosts.

    Raises:
        Unavailable: `host-key-unknown` or `host-key-changed`, with both fingerprints and what to do.
    """
    if expected.accepts(key):
        return
    if key in expected.revoked:
        raise _refused("host-key-changed", place, f"host key {key.fingerprint} is revoked in known_hosts", "")
    if not expected.fingerprints:
        hint = (
            f"Compare it on its console (ssh-keygen -lf /etc/ssh/ssh_host_{_short(key.kind)}_key.pub), "
            f"then set connection.hostKey: {key.fingerprint}"
        )
        message = f"host key is {key.fingerprint} ({key.kind}), expected one from known_hosts, which has none"
        raise _refused("host-key-unknown", place, message, hint)
    declared = expected.source == "connection.hostKey"
    remedy = (
        "update connection.hostKey"
        if declared
        else f"set connection.hostKey, or ssh-keygen -R '{known_name}' -f {expected.source} and add the new one"
    )
    message = f"host key is {key.fingerprint}, expected {' or '.join(expected.fingerprints)}"
    raise _refused("host-key-changed", place, message, f"Rebuilt? Check its console, then {remedy}")


def _refused(code: str, place: str, message: str, hint: str) -> Unavailable:
    end = "Nothing was sent."
    return Unavailable.of(code, message, place=Place(host=place), hint=f"{hint}. {end}" if hint else end)


def _short(kind: str) -> str:
    return {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}.get(kind, "ecdsa")


def _declared(place: str, text: str) -> Expected:
    words = text.split()
    if len(words) == 1 and words[0].startswith(_PREFIX):
        return Expected(fingerprint=words[0].rstrip("="))
    if len(words) >= 2 and (key := _key(words[0], words[1])):
        return Expected(keys=(key,))
    raise Unavailable.of(
        "invalid-host-key",
        "connection.hostKey is neither a public key nor a fingerprint",
        place=Place(host=place),
        hint="Write SHA256:... or the line of ssh-keyscan: ssh-ed25519 AAAA...",
    )


def _key(kind: str, text: str) -> PublicKey | None:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return PublicKey(kind, text)


def _prints(keys: Iterable[PublicKey]) -> Iterator[str]:
    return (key.fingerprint for key in keys)


# -- known_hosts, see sshd(8)


@dataclass(slots=True)
class _KnownHosts:
    """One file, with plain names found at once and hashed ones and patterns tried in turn."""

    plain: dict[str, list[tuple[str, PublicKey]]] = field(default_factory=dict)
    others: list[tuple[str, str, PublicKey]] = field(default_factory=list)

    def add(self, line: str) -> None:
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or (key := _key(words[1], words[2])) is None:
            return
        names = words[0].lower() if not words[0].startswith("|") else words[0]
        if names.startswith("|") or any(sign in names for sign in "*?!"):
            self.others.append((marker, names, key))
            return
        for name in names.split(","):
            self.plain.setdefault(name, []).append((marker, key))

    def keys(self, name: str) -> tuple[PublicKey, ...]:
        return tuple(key for marker, key in self._found(name) if not marker)

    def revoked(self, name: str) -> tuple[PublicKey, ...]:
        return tuple(key for marker, key in self._found(name) if marker == "@revoked")

    def _found(self, name: str) -> list[tuple[str, PublicKey]]:
        elsewhere = [(marker, key) for marker, names, key in self.others if _matches(names, name)]
        return [*self.plain.get(name, []), *elsewhere]


def _matches(names: str, name: str) -> bool:
    if names.startswith("|"):
        return _hashed_matches(names, name)
    patterns = names.split(",")
    if any(fnmatchcase(name, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
        return False
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _hashed_matches(entry: str, name: str) -> bool:
    try:
        _, version, salt, hashed = entry.split("|")
        digest = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return version == "1" and hmac.compare_digest(base64.b64decode(hashed), digest)
    except (ValueError, binascii.Error):
        return False


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=16)
def _read(path: str, modified: int) -> _KnownHosts:
    """The file as it was at that time; read once however many hosts ask."""
    known = _KnownHosts()
    if modified:
        for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            known.add(line)
    return known
