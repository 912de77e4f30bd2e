"""Whether a trusted key, which may do so, signed what an executor is about to believe: a statement, or a run."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import Place, Refused
from reconciler.trust.ed25519 import Purpose, is_signed
from reconciler.trust.key_list import Permission, TrustedKeys

_SIGNED: Mapping[Permission, tuple[Purpose, str, str]] = {
    Permission.CONVERGE: (Purpose.STATEMENT, "statement", "sign desired state"),
    Permission.RUN: (Purpose.RUN, "run", "start runs"),
}
"""What a key needs the permission for, what people call it, and what they call signing it."""


def check_author(
    body: bytes, signature: bytes, *, key_id: str, permission: Permission, trusted: TrustedKeys, place: Place
) -> None:
    """Refuse what the key did not sign, or may not sign.

    Raises:
        Refused: with the code unknown-key, bad-signature or not-allowed.
    """
    purpose, what, act = _SIGNED[permission]
    key = trusted.keys.get(key_id)
    if key is None:
        message = f"the {what} is signed with {key_id}, which is not trusted here"
        raise Refused.of("unknown-key", message, place=place, hint="Was the key replaced? Look: reconcile doctor")
    if not is_signed(key.public, purpose, body, signature):
        raise Refused.of("bad-signature", f"the {what} is not what {key_id} signed", place=place)
    if not trusted.may(key_id, permission):
        raise Refused.of("not-allowed", f"{key_id} may not {act}", place=place)
