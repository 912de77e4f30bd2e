"""Asking an agent to look at its host now, and its answer: small lists in the slot of the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.resources.values import dataclass
from reconciler.store.keys import Keys
from reconciler.store.link import Link, compact
from reconciler.store.reading import Reading, json_map, word, words

ASK_SECONDS = 300
"""How long a question waits for its agent, and an answer for its reader."""

LONGEST_WAIT_SECONDS = 2.0
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Look:
    """One question."""

    id: str
    apps: tuple[str, ...] | None
    """None: all apps of the host."""


class Looks:
    """`Store.looks`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys

    def ask(self, hosts: Sequence[str], look: Look) -> None:
        """Ask the agents of these hosts, and wake them."""
        form = compact({"id": look.id} if look.apps is None else {"id": look.id, "apps": look.apps})
        for host in hosts:
            slot = self._keys.host(host)
            self._reading.ask("RPUSH", slot + "asks", form, repeatable=False)
            self._reading.ask("EXPIRE", slot + "asks", ASK_SECONDS)
            self._reading.ask("ZADD", slot + "ready", 0, host)
            self._reading.ask("EXPIRE", slot + "ready", ASK_SECONDS)

    def asked(self, host: str) -> Sequence[Look]:
        """Take what was asked of a host."""
        key = self._keys.host(host) + "asks"
        return self._reading.records(key, self._reading.ask("LPOP", key, _AT_ONCE, repeatable=False) or (), _look)

    def answer(self, host: str, look: Look, found: Mapping[str, Any]) -> None:
        """Tell what was found (plain JSON values)."""
        key = f"{self._keys.host(host)}answer:{look.id}"
        self._reading.ask("RPUSH", key, compact(found), repeatable=False)
        self._reading.ask("EXPIRE", key, ASK_SECONDS)

    def wait(self, host: str, look: Look, seconds: float) -> Mapping[str, Any] | None:
        """What a host answered, waited for that long (2 s at most); nonsense is an answer without content."""
        key = f"{self._keys.host(host)}answer:{look.id}"
        wait = min(max(seconds, 0.01), LONGEST_WAIT_SECONDS)
        found = self._link.look([("BLPOP", key, wait)], repeatable=False)[0]
        return (self._reading.record(key, lambda: json_map(found[1])) or {}) if found else None


def _look(form: bytes) -> Look:
    found = json_map(form)
    return Look(word(found["id"]), words(found["apps"]) if "apps" in found else None)
