"""A host's list of trusted keys changes only by a newer list that a key on the old one signed."""

from typing import Any

import pytest

from reconciler.errors import Refused
from reconciler.trust import Permission, Signed, Signer, TrustedKey, TrustedKeys, verify_keys

OLD = Signer(b"1" * 32)
NEW = Signer(b"2" * 32)


def key(signer: Signer, *may: Permission) -> TrustedKey:
    return TrustedKey(signer.public, frozenset(may or Permission))


LISTED = TrustedKeys.of(3, [key(OLD)])
ROTATED = TrustedKeys.of(4, [key(NEW), key(OLD, Permission.RUN)])


def refused(signed: Signed, *, fleet: str = "shop") -> str:
    with pytest.raises(Refused) as error:
        verify_keys(LISTED, signed, fleet=fleet)
    return error.value.problems[0].code


def test_a_newer_list_signed_by_a_listed_key_replaces_the_old_one() -> None:
    assert verify_keys(LISTED, OLD.sign_keys(ROTATED, fleet="shop"), fleet="shop") == ROTATED


def test_a_key_cannot_put_itself_on_the_list() -> None:
    assert refused(NEW.sign_keys(ROTATED, fleet="shop")) == "unknown-key"


def test_a_list_that_is_not_newer_is_a_replay() -> None:
    assert refused(OLD.sign_keys(TrustedKeys.of(3, [key(NEW)]), fleet="shop")) == "replayed"


def test_a_list_for_another_fleet_is_refused() -> None:
    assert refused(OLD.sign_keys(ROTATED, fleet="bank")) == "wrong-fleet"


def test_a_changed_list_is_refused() -> None:
    signed = OLD.sign_keys(ROTATED, fleet="shop")
    body = signed.body.replace(b'"version":4', b'"version":5')
    assert refused(Signed(body, signed.signature)) == "bad-signature"


def test_an_empty_list_would_lock_everyone_out_and_is_refused() -> None:
    assert refused(OLD.sign_keys(TrustedKeys(4, {}), fleet="shop")) == "malformed-keys"


def test_a_list_survives_its_file() -> None:
    assert TrustedKeys.from_json(ROTATED.to_json()) == ROTATED


def test_the_order_in_which_keys_were_named_does_not_matter() -> None:
    assert TrustedKeys.of(4, [key(OLD), key(NEW)]).to_json() == TrustedKeys.of(4, [key(NEW), key(OLD)]).to_json()


PUBLIC = OLD.public.hex()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"version": 1},
        {"version": -1, "keys": [{"public": PUBLIC, "may": []}]},
        {"version": 1, "keys": ["a key"]},
        {"version": 1, "keys": [{"public": PUBLIC}]},
        {"version": 1, "keys": [{"public": PUBLIC[2:], "may": []}]},
        {"version": 1, "keys": [{"public": PUBLIC, "may": ["reboot"]}]},
        {"version": 1, "keys": [{"public": PUBLIC, "may": ["run", "converge"]}]},
        {"version": 1, "keys": [{"public": PUBLIC, "may": ["run", "run"]}]},
        {"version": 1, "keys": [{"public": PUBLIC, "may": [1]}]},
        {"version": 1, "keys": [{"public": PUBLIC, "may": []}, {"public": PUBLIC, "may": ["run"]}]},
    ],
)
def test_what_is_no_list_of_keys_is_refused(value: Any) -> None:
    with pytest.raises(Refused) as error:
        TrustedKeys.from_json(value)
    assert error.value.problems[0].code == "malformed-keys"
