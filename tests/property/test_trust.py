"""Nothing verifies but what was signed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.errors import Refused
from reconciler.model.desired import SignedStatement, Statement
from reconciler.trust import Masker, Permission, Signed, Signer, TrustedKey, TrustedKeys, verify, verify_keys

SIGNER = Signer(b"p" * 32)
TRUSTED = TrustedKeys.of(1, [TrustedKey(SIGNER.public, frozenset({Permission.CONVERGE}))])

text = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), max_size=20)
"""What can be printed."""
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
statements = st.builds(
    Statement,
    fleet=text,
    host=text,
    generation=st.integers(0, 2**63 - 1),
    revision=text,
    apps=st.dictionaries(text, digests, max_size=4),
    secrets=st.dictionaries(text, text, max_size=4),
    key_id=st.just(SIGNER.key_id),
)


def believed(signed: SignedStatement, like: Statement) -> Statement:
    return verify(signed, TRUSTED, fleet=like.fleet, host=like.host, seen=like.generation)


@given(statements)
def test_every_signed_statement_reads_back_as_it_was(statement: Statement) -> None:
    assert believed(SIGNER.sign(statement), statement) == statement


@given(statements, st.data())
def test_any_flipped_bit_is_refused(statement: Statement, data: st.DataObject) -> None:
    signed = SIGNER.sign(statement)
    whole = bytearray(signed.body + signed.signature)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    changed = SignedStatement(bytes(whole[:-64]), bytes(whole[-64:]))
    with pytest.raises(Refused):
        believed(changed, statement)


@given(statements, statements, st.integers(1, 2**20))
def test_a_signature_does_not_carry_over_to_another_statement(
    one: Statement, other: Statement, difference: int
) -> None:
    other = replace(other, generation=one.generation ^ difference)
    with pytest.raises(Refused):
        believed(SignedStatement(SIGNER.sign(other).body, SIGNER.sign(one).signature), other)


@given(statements, st.sampled_from(["fleet", "host", "revision", "generation"]))
def test_no_field_can_be_changed(statement: Statement, field: str) -> None:
    value: Any = getattr(statement, field)
    changed = replace(statement, **{field: value + 1 if field == "generation" else value + "x"})
    assume(changed.generation < 2**63)
    with pytest.raises(Refused):
        believed(SignedStatement(SIGNER.sign(changed).body, SIGNER.sign(statement).signature), changed)


@given(st.binary(max_size=200), st.binary(max_size=80))
def test_no_made_up_bytes_verify_or_raise_anything_else(body: bytes, signature: bytes) -> None:
    with pytest.raises(Refused):
        verify(SignedStatement(body, signature), TRUSTED, fleet="f", host="h")
    with pytest.raises(Refused):
        verify_keys(TRUSTED, Signed(body, signature), fleet="f")


@given(st.integers(0, 2**63 - 1), st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=4), st.data())
def test_a_list_of_keys_is_believed_exactly_when_it_is_newer(
    version: int, publics: set[bytes], data: st.DataObject
) -> None:
    keys = [TrustedKey(public, data.draw(st.frozensets(st.sampled_from(Permission)))) for public in publics]
    new = TrustedKeys.of(version, keys)
    signed = SIGNER.sign_keys(new, fleet="shop")
    if version > TRUSTED.version:
        assert verify_keys(TRUSTED, signed, fleet="shop") == new
    else:
        with pytest.raises(Refused):
            verify_keys(TRUSTED, signed, fleet="shop")


@given(st.text(min_size=4), text, text)
def test_a_masked_text_never_holds_the_value(value: str, before: str, after: str) -> None:
    assume(value.strip() and value not in "<secret p>" and value not in before + after)
    masked = Masker({"p": value}).mask(before + value + after)
    assert value not in masked.replace("<secret p>", "\0")
