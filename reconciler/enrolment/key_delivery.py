"""The list of trusted keys as it goes to a host. Pure; used by `enroll`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from reconciler.errors import Refused
from reconciler.model.desired import SignedStatement
from reconciler.trust import TrustedKeys, verify


def delivered(wanted: TrustedKeys, there: bytes | None) -> bytes:
    """What the host's file should hold: what is there already where it says the same, else the list as it is here.

    Who installs an agent is root on its host, so the list need not be signed, nor newer than the one before.
    """
    if there is not None and _read(there) == wanted:
        return there
    return (json.dumps(wanted.to_json(), indent=2) + "\n").encode()


def check_key_in_use(statements: Mapping[str, SignedStatement], keys: TrustedKeys, fleet: str) -> None:
    """Raise where the fleet is signed for with a key that is not on our list: its hosts would then obey nobody.

    Raises:
        Refused: `foreign-key`.
    """
    for host, signed in sorted(statements.items()):
        try:
            verify(signed, keys, fleet=fleet, host=host)
        except Refused as error:
            if error.problems[0].code != "unknown-key":
                continue  # told where it is read to be applied
            message = "this fleet is signed for with another key than the ones on this machine's list"
            hint = "Enroll on the ops server. Was its key lost? Run reconcile apply with the new one first"
            raise Refused.of("foreign-key", message, hint=hint) from None


def _read(content: bytes) -> TrustedKeys | None:
    try:
        return TrustedKeys.from_json(json.loads(content))
    except (ValueError, RecursionError, Refused):
        return None
