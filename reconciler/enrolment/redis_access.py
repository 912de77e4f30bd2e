"""The URL by which a host reaches Redis as its own user. Pure; used by `enroll`."""

from __future__ import annotations

import hashlib
import ipaddress
from urllib.parse import unquote, urlsplit

from reconciler.errors import InvalidInput, Refused

_SCHEMES = {f"{scheme}{kind}" for scheme in ("redis", "rediss") for kind in ("", "+sentinel", "+cluster")}
_HINT = "Say how hosts see it: --redis-url redis://ADDRESS:6379"


def shared_address(url: str | None) -> str:
    """The URL without user and password, if hosts can reach what it names.

    Raises:
        Refused: `redis-not-shared`, it is this machine's own: embedded, a socket, or a loopback address.
        InvalidInput: `redis-url`, it is no URL of Redis, or cannot stand in a file of settings.
    """
    if url is None:
        message = "the fleet's Redis is the embedded one, which no host can reach"
        raise Refused.of("redis-not-shared", message, hint="Set RECONCILER_REDIS_URL to a Redis server of its own")
    parts = urlsplit(url)
    if parts.scheme == "unix":
        raise Refused.of("redis-not-shared", "Redis is a socket on this machine, which no host can reach", hint=_HINT)
    servers = parts.netloc.rpartition("@")[2]
    if parts.scheme not in _SCHEMES or not servers or set(url) & set('"\\\n\r $`'):
        raise InvalidInput.of("redis-url", f"{parts.scheme}://{servers}: this is no URL of Redis", hint=_HINT)
    if any(map(_is_loopback, servers.split(","))):
        raise Refused.of("redis-not-shared", f"{servers} means each host itself, not this machine", hint=_HINT)
    return parts._replace(netloc=servers).geturl()


def login_url(address: str, user: str, password: str) -> str:
    """The URL of a user, whose password needs no quoting."""
    parts = urlsplit(address)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc}").geturl()


def password_of(url: str) -> str:
    """The password in a URL; empty where there is none."""
    return unquote(urlsplit(url).password or "")


def fingerprint(password: str) -> str:
    """As Redis keeps it, so that the password itself need not be sent or shown."""
    return hashlib.sha256(password.encode()).hexdigest()


def _is_loopback(server: str) -> bool:
    name = urlsplit(f"//{server}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
