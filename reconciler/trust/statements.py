"""Statements as signed bytes: the only words that make an executor change a host.

Signer writes them; every executor verifies before it looks at anything that a statement says.
"""

from __future__ import annotations

from typing import Any

from reconciler.errors import Place, Refused
from reconciler.model.desired import SignedStatement, Statement
from reconciler.trust.ed25519 import Purpose
from reconciler.trust.exact_json import is_count, is_hexadecimal, is_map_of, is_text
from reconciler.trust.key_list import Permission, TrustedKeys
from reconciler.trust.signed_form import SignedForm


def _is_empty_or_64_digits(value: Any) -> bool:
    return value == "" or is_hexadecimal(64)(value)


STATEMENT = SignedForm(
    make=Statement,
    fields={
        "fleet": ("fleet", is_text),
        "host": ("host", is_text),
        "generation": ("generation", is_count),
        "revision": ("revision", is_text),
        "apps": ("apps", is_map_of(is_hexadecimal(64))),
        "secrets": ("secrets", is_map_of(is_text)),
        "keyId": ("key_id", is_text),
        "sealingKey": ("sealing_key", _is_empty_or_64_digits),
        "sealed": ("sealed", _is_empty_or_64_digits),
    },
    purpose=Purpose.STATEMENT,
    permission=Permission.CONVERGE,
    name="statement",
    act="sign desired state",
    code="malformed-statement",
)


def verify(signed: SignedStatement | None, trusted: TrustedKeys, *, fleet: str, host: str, seen: int = 0) -> Statement:
    """The statement, if a key that may converge said exactly this, of this host, not before something newer.

    Args:
        signed: what the store holds; None where it holds nothing.
        trusted: the keys that the host trusts.
        fleet: the fleet that the host belongs to.
        host: the host's name.
        seen: the highest generation that the host applied; a statement may repeat it (levels, not events).

    Raises:
        Refused: with the code unsigned, malformed-statement, unknown-key, not-allowed, bad-signature, wrong-fleet,
            wrong-host or replayed.
    """
    place = Place(host=host)
    if signed is None or not signed.signature:
        raise Refused.of("unsigned", "there is no signed statement of this host", place=place)
    statement = STATEMENT.said(signed.body, signed.signature, trusted, fleet=fleet, host=host)
    if statement.generation < seen:
        message = f"the statement has generation {statement.generation}, {seen} was applied before"
        raise Refused.of("replayed", message, place=place)
    return statement


def author_of(signed: SignedStatement) -> str:
    """The id of the key that the statement says it was signed with; nothing is verified. Empty for nonsense."""
    try:
        return STATEMENT.parse(signed.body, Place()).key_id
    except Refused:
        return ""
