"""The list of trusted keys as it goes to a host. Pure; used by `enroll`."""

from __future__ import annotations

import json

from reconciler.errors import Refused
from reconciler.trust import TrustedKeys


def delivered(wanted: TrustedKeys, there: bytes | None) -> bytes:
    """What the host's file should hold: what is there already where it lists the same keys, else a newer version.

    Who installs an agent is root on its host, so the list need not be signed with a key that stands on the old one.
    """
    known = _read(there)
    if there is not None and known is not None and known.keys == wanted.keys and known.version >= wanted.version:
        return there
    version = max(wanted.version, known.version + 1) if known else wanted.version
    return (json.dumps(TrustedKeys(version, wanted.keys).to_json(), indent=2) + "\n").encode()


def _read(content: bytes | None) -> TrustedKeys | None:
    try:
        return TrustedKeys.from_json(json.loads(content or b""))
    except (ValueError, RecursionError, Refused):
        return None
