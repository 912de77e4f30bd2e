"""A fingerprint of secrets tells that something changed, to those who have the key."""

from reconciler.trust import Signer, new_seed, secrets_fingerprint

KEY = Signer(new_seed(lambda size: b"k" * size)).fingerprint_key()


def test_equal_secrets_have_equal_fingerprints_in_any_order() -> None:
    one = secrets_fingerprint(KEY, {"a": "1", "b": "2"})
    assert one == secrets_fingerprint(KEY, {"b": "2", "a": "1"})
    assert len(one) == 32


def test_any_changed_path_or_value_shows() -> None:
    values = [{"a": "1"}, {"a": "2"}, {"b": "1"}, {"a": "1", "b": ""}, {"a": "", "b": "1"}, {"ab": "1"}]
    assert len({secrets_fingerprint(KEY, each) for each in values}) == len(values)


def test_another_key_gives_another_fingerprint() -> None:
    other = Signer(b"o" * 32).fingerprint_key()
    assert secrets_fingerprint(KEY, {"a": "1"}) != secrets_fingerprint(other, {"a": "1"})


def test_the_fingerprints_key_is_not_the_signing_key() -> None:
    assert Signer(b"o" * 32).fingerprint_key() != b"o" * 32


def test_no_secrets_have_no_fingerprint() -> None:
    assert secrets_fingerprint(KEY, {}) == ""
