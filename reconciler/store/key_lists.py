"""Signed lists of trusted keys in the slot of each host that has an agent. Written by controllers, read by agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.store.keys import Keys
from reconciler.store.link import call
from reconciler.store.reading import Reading, number
from reconciler.trust import Signed

_SIGNATURE_BYTES = 64


class KeyListRecords:
    """`Store.key_lists`."""

    def __init__(self, keys: Keys, reading: Reading) -> None:
        self._reading = reading
        self._keys = keys

    def publish(self, hosts: Iterable[str], lists: Sequence[tuple[int, Signed]]) -> None:
        """Let these hosts have the lists, by version, and no others."""
        fields = [word for version, signed in lists for word in (version, signed.signature + signed.body)]
        self._reading.ask_all([call("hash_replace", self._keys.host(host) + "keys", *fields) for host in hosts])

    def read(self, host: str) -> Mapping[int, Signed]:
        """The lists of a host by the version under which they stand, which nobody has checked."""
        key = self._keys.host(host) + "keys"
        words = self._reading.ask("HGETALL", key) or ()
        pairs = self._reading.records(key, zip(words[::2], words[1::2], strict=True), _signed)
        return dict(sorted(pairs, key=lambda pair: pair[0]))


def _signed(pair: tuple[bytes, bytes]) -> tuple[int, Signed]:
    version, packed = pair
    return number(version), Signed(packed[_SIGNATURE_BYTES:], packed[:_SIGNATURE_BYTES])
