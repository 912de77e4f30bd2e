"""Leases: who alone may control the fleet, and which pooled executor may try a host.

A lease only chooses who tries. What keeps an old holder out is the term, which later writes carry and which grows with
every holder, also across lost data.
"""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.work import Lease
from reconciler.store.keys import Keys
from reconciler.store.link import Link, call
from reconciler.store.reading import Reading, number

CONTROL = "control"
"""The name of the lease over the whole fleet."""

_HOST = "host:"
_NONCE_BYTES = 12


def host_lease(host: str) -> str:
    """The name of the lease on one host; its term is drawn from the numbers that the host's claims take theirs from."""
    return _HOST + host


class Leases:
    """`Store.leases`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading, entropy: Callable[[int], bytes]) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys
        self._entropy = entropy

    def acquire(self, name: str, holder: str, seconds: float, *, take_over: bool = False) -> Lease | None:
        """Take a lease, with a higher term than any before; None: someone else holds it, and we do not take over."""
        slot, key, number = self._place(name)
        nonce = self._entropy(_NONCE_BYTES).hex()
        force = "1" if take_over else ""
        term = self._link.send(*call("lease_acquire", slot, key, number, nonce, holder, int(seconds * 1000), force))
        return Lease(name, holder, int(term)) if term is not None else None

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Hold it for longer. False: it ran out or was taken over; its holder must stop."""
        slot, key, _ = self._place(lease.name)
        return bool(self._link.send(*call("lease_renew", slot, key, lease.term, int(seconds * 1000))))

    def release(self, lease: Lease) -> None:
        """Let go; nothing happens where it is someone else's by now."""
        slot, key, _ = self._place(lease.name)
        self._link.send(*call("lease_release", slot, key, lease.term))

    def current(self, name: str) -> Lease | None:
        """Who holds it now."""
        slot, key, _ = self._place(name)
        held = self._reading.ask("GET", slot + key)
        return self._reading.record(slot + key, lambda: _lease(name, held)) if held is not None else None

    def _place(self, name: str) -> tuple[str, str, str]:
        """The slot, the key in it, and the number that terms are drawn from."""
        if name == CONTROL:
            return self._keys.control, "control", "control"
        if name.startswith(_HOST):
            return self._keys.host(name.removeprefix(_HOST)), "lease", "token"
        raise ValueError(f"no such lease: {name}; it is {CONTROL!r} or host_lease(HOST)")


def _lease(name: str, held: bytes) -> Lease:
    term, _, holder = held.decode().split(" ", 2)
    return Lease(name, holder, number(term))
