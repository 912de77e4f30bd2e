"""A host believes a statement only if a key that it trusts said it, of this host, and not before something newer."""

from dataclasses import replace

import pytest

from reconciler.errors import Refused
from reconciler.model.canonical import canonical
from reconciler.model.desired import SignedStatement, Statement
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys, verify

CONTROLLER = Signer(b"c" * 32)
STRANGER = Signer(b"s" * 32)
OPERATOR = Signer(b"o" * 32)
TRUSTED = TrustedKeys.of(
    1,
    [
        TrustedKey(CONTROLLER.public, frozenset({Permission.CONVERGE})),
        TrustedKey(OPERATOR.public, frozenset({Permission.RUN})),
    ],
)
STATEMENT = Statement(
    fleet="shop",
    host="web-1",
    generation=1_700_000_000_000,
    revision="1a2b3c4",
    apps={"webapp": "ab" * 32},
    secrets={"webapp": "0123"},
    key_id=CONTROLLER.key_id,
    sealing_key="cd" * 32,
    sealed="ef" * 32,
)


def refused(signed: SignedStatement | None, *, fleet: str = "shop", host: str = "web-1", seen: int = 0) -> str:
    with pytest.raises(Refused) as error:
        verify(signed, TRUSTED, fleet=fleet, host=host, seen=seen)
    (problem,) = error.value.problems
    assert problem.place.host == host
    return problem.code


def test_what_was_signed_is_what_is_read() -> None:
    assert verify(CONTROLLER.sign(STATEMENT), TRUSTED, fleet="shop", host="web-1") == STATEMENT


def test_a_missing_statement_is_refused_not_taken_for_an_empty_one() -> None:
    assert refused(None) == "unsigned"
    assert refused(SignedStatement(CONTROLLER.sign(STATEMENT).body, b"")) == "unsigned"


def test_another_key_is_refused() -> None:
    assert refused(STRANGER.sign(replace(STATEMENT, key_id=STRANGER.key_id))) == "unknown-key"


def test_a_stranger_who_names_a_trusted_key_is_refused() -> None:
    forged = STRANGER.sign(replace(STATEMENT, key_id=STRANGER.key_id))
    body = forged.body.replace(STRANGER.key_id.encode(), CONTROLLER.key_id.encode())
    assert refused(SignedStatement(body, forged.signature)) == "bad-signature"


def test_a_key_for_runs_does_not_sign_desired_state() -> None:
    assert refused(OPERATOR.sign(replace(STATEMENT, key_id=OPERATOR.key_id))) == "not-allowed"


def test_a_statement_for_another_host_or_fleet_is_refused() -> None:
    signed = CONTROLLER.sign(STATEMENT)
    assert refused(signed, host="web-2") == "wrong-host"
    assert refused(signed, fleet="bank") == "wrong-fleet"


def test_an_older_statement_is_a_replay_and_the_same_one_is_not() -> None:
    signed = CONTROLLER.sign(STATEMENT)
    assert refused(signed, seen=STATEMENT.generation + 1) == "replayed"
    assert verify(signed, TRUSTED, fleet="shop", host="web-1", seen=STATEMENT.generation) == STATEMENT


def test_a_signature_for_another_purpose_is_no_signature_of_a_statement() -> None:
    keys = CONTROLLER.sign_keys(TRUSTED, fleet="shop")
    body = CONTROLLER.sign(STATEMENT).body
    assert refused(SignedStatement(body, keys.signature)) == "bad-signature"
    assert refused(SignedStatement(keys.body, keys.signature)) == "malformed-statement"


@pytest.mark.parametrize(
    "change",
    [
        {"generation": -1},
        {"generation": True},
        {"generation": 1.5},
        {"generation": 2**63},
        {"generation": "1"},
        {"apps": {"webapp": "short"}},
        {"apps": {"webapp": "AB" * 32}},
        {"apps": ["webapp"]},
        {"secrets": {"webapp": 1}},
        {"sealed": "short"},
        {"sealingKey": "CD" * 32},
        {"host": None},
        {"more": 1},
    ],
)
def test_even_a_trusted_key_cannot_say_what_has_the_wrong_form(change: dict[str, object]) -> None:
    fields = {
        "fleet": "shop",
        "host": "web-1",
        "generation": 1,
        "revision": "",
        "apps": {},
        "secrets": {},
        "keyId": CONTROLLER.key_id,
        "sealingKey": "",
        "sealed": "",
    }
    assert refused(SignedStatement(canonical(fields | change), bytes(64))) == "malformed-statement"
    assert refused(SignedStatement(canonical(fields), bytes(64))) == "bad-signature"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"fleet":NaN}',
        b"9" * 5_000,
        b'"\\ud800"',
        b" " * (2 << 20),
        CONTROLLER.sign(STATEMENT).body + b"\n",
        CONTROLLER.sign(STATEMENT).body.replace(b'{"apps"', b'{"apps":{},"apps"'),
    ],
    ids=["empty", "binary", "nested", "nan", "huge-number", "surrogate", "too-large", "newline", "twice-the-same-key"],
)
def test_bytes_that_signing_would_not_write_are_refused(body: bytes) -> None:
    assert refused(SignedStatement(body, bytes(64))) == "malformed-statement"


def test_a_signer_does_not_sign_in_the_name_of_another_key() -> None:
    with pytest.raises(ValueError, match="names key"):
        CONTROLLER.sign(replace(STATEMENT, key_id=OPERATOR.key_id))


def test_a_seed_has_exactly_32_bytes_and_stays_out_of_the_repr() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")
    assert repr(CONTROLLER) == f"Signer({CONTROLLER.key_id})"
