"""Statements as signed bytes: the only words that make an executor change a host.

Signer writes them; every executor verifies before it looks at anything that a statement says.
"""

from __future__ import annotations

from typing import Any

from reconciler.errors import Place, Refused
from reconciler.model.canonical import canonical
from reconciler.model.desired import SignedStatement, Statement
from reconciler.trust.authorship import check_author
from reconciler.trust.exact_json import (
    NotExact,
    is_count,
    is_hexadecimal,
    is_map_of,
    is_text,
    parse_exact,
)
from reconciler.trust.key_list import Permission, TrustedKeys


def _is_empty_or_64_digits(value: Any) -> bool:
    return value == "" or is_hexadecimal(64)(value)


_FIELDS = {
    "fleet": is_text,
    "host": is_text,
    "generation": is_count,
    "revision": is_text,
    "apps": is_map_of(is_hexadecimal(64)),
    "secrets": is_map_of(is_text),
    "keyId": is_text,
    "sealingKey": _is_empty_or_64_digits,
    "sealed": _is_empty_or_64_digits,
}


def statement_body(statement: Statement) -> bytes:
    """What is signed of a statement: its fields, under the names of `_FIELDS`."""
    fields: dict[str, Any] = {
        "fleet": statement.fleet,
        "host": statement.host,
        "generation": statement.generation,
        "revision": statement.revision,
        "apps": dict(statement.apps),
        "secrets": dict(statement.secrets),
        "keyId": statement.key_id,
        "sealingKey": statement.sealing_key,
        "sealed": statement.sealed,
    }
    return canonical(fields)


def verify(signed: SignedStatement | None, trusted: TrustedKeys, *, fleet: str, host: str, seen: int = 0) -> Statement:
    """The statement, if a key that may converge said exactly this, of this host, not before something newer.

    Args:
        signed: what the store holds; None where it holds nothing.
        trusted: the keys that the host trusts.
        fleet: the fleet that the host belongs to.
        host: the host's name.
        seen: the highest generation known to the host; a statement may repeat it (levels, not events).

    Raises:
        Refused: with the code unsigned, malformed-statement, unknown-key, not-allowed, bad-signature, wrong-fleet,
            wrong-host or replayed.
    """
    place = Place(host=host)
    if signed is None or not signed.signature:
        raise Refused.of("unsigned", "there is no signed statement of this host", place=place)
    statement = _parse(signed.body, place)
    may, author = Permission.CONVERGE, statement.key_id
    check_author(signed.body, signed.signature, key_id=author, permission=may, trusted=trusted, place=place)
    if statement.fleet != fleet:
        raise Refused.of("wrong-fleet", f"the statement is for fleet {statement.fleet}, this is {fleet}", place=place)
    if statement.host != host:
        raise Refused.of("wrong-host", f"the statement is for {statement.host}", place=place)
    if statement.generation < seen:
        message = f"the statement has generation {statement.generation}, {seen} was seen before"
        raise Refused.of("replayed", message, place=place)
    return statement


def author_of(signed: SignedStatement) -> str:
    """The id of the key that the statement says it was signed with; nothing is verified. Empty for nonsense."""
    try:
        return _parse(signed.body, Place()).key_id
    except Refused:
        return ""


def _parse(body: bytes, place: Place) -> Statement:
    try:
        fields = parse_exact(body, _FIELDS)
    except NotExact as error:
        raise Refused.of("malformed-statement", f"the statement {error}", place=place) from None
    key_id, sealing_key = fields.pop("keyId"), fields.pop("sealingKey")
    return Statement(**fields, key_id=key_id, sealing_key=sealing_key)
