"""An agent's list of trusted keys, brought up to date with the lists that stand in its slot.

Called by the agent's loop. Lists are taken one after the other, each signed with a key of the one before, so a host
that was away for long follows; what does not verify is told and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reconciler.errors import Refused
from reconciler.trust import Signed, TrustedKeys, verify_keys


class Pinned(Protocol):
    """The list in force, on the host's disk."""

    @property
    def keys(self) -> TrustedKeys: ...

    def replace(self, keys: TrustedKeys) -> None: ...


def update_keys(pinned: Pinned, lists: Mapping[int, Signed], fleet: str) -> Refused | None:
    """Take all lists that follow the one in force; returns why one was refused, where one was.

    Args:
        pinned: what is in force.
        lists: by the version that they are said to have.
        fleet: the fleet that the host belongs to.

    Raises:
        InvalidInput: the host's disk does not take the list.
    """
    for version in sorted(lists):
        if version <= pinned.keys.version:
            continue
        try:
            pinned.replace(verify_keys(pinned.keys, lists[version], fleet=fleet))
        except Refused as error:
            return error
    return None
