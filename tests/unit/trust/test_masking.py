"""No secret value reaches people or Redis, however a program printed it."""

import base64
import html
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest

from reconciler.trust import Masker

PASSWORD = "hunter2 & \"ü/x'"
MASKER = Masker({"webapp/pass": PASSWORD})


@pytest.mark.parametrize(
    "printed",
    [
        PASSWORD,
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        repr(PASSWORD),
        html.escape(PASSWORD),
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
        shlex.quote(PASSWORD),
        PASSWORD.encode().hex(),
    ],
)
def test_a_value_is_masked_in_every_common_form(printed: str) -> None:
    masked = MASKER.mask(f"login with {printed} now")
    assert "hunter2" not in masked
    assert "<secret webapp/pass>" in masked
    assert masked.startswith("login with ")
    assert masked.endswith(" now")


@pytest.mark.parametrize("before", ["", "u", "me:", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_value_is_masked_inside_base64_of_something_longer(before: str, encode: type) -> None:
    masked = Masker({"p": "correct-horse"}).mask(encode(f"{before}correct-horse\n".encode()).decode())
    assert "<secret p>" in masked
    assert len(masked.replace("<secret p>", "")) <= len(base64.b64encode(before.encode())) + 4


def test_text_without_a_value_stays_as_it_is() -> None:
    assert MASKER.mask("nothing here") == "nothing here"
    assert Masker().mask("nothing here") == "nothing here"


def test_the_longest_of_nested_values_is_replaced_whole() -> None:
    masker = Masker({"long": "secret-of-secrets", "short": "secret"})
    assert "of-secrets" not in masker.mask("a secret-of-secrets b secret")


def test_values_that_overlap_leave_nothing_behind() -> None:
    masker = Masker({"a": "abcdef", "b": "defghi"})
    assert masker.mask("xabcdefghiy") == "x<secret a><secret b>y"


def test_a_repeated_value_is_replaced_each_time() -> None:
    assert Masker({"a": "tick"}).mask("tick tock tick") == "<secret a> tock <secret a>"


def test_a_key_is_masked_line_by_line_too() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nAAAA\n-----END KEY-----"
    masked = Masker({"tls": key}).mask("+  -----BEGIN KEY-----\n+  MIIEvQIBADANBgkq\n")
    assert masked == "+  <secret tls>\n+  <secret tls>\n"


def test_a_value_that_is_too_short_would_shred_the_text_and_is_left() -> None:
    assert Masker({"pin": "123"}).mask("123") == "123"


def test_values_can_be_learnt_later() -> None:
    masker = Masker({"a": "alpha"})
    masker.learn({"b": "bravo"})
    assert masker.mask("alpha bravo") == "<secret a> <secret b>"


def test_all_text_in_nested_values_is_masked() -> None:
    masker = Masker({"a": "alpha"})
    value = {"alpha": ["alpha", {"n": 1, "t": ("alpha", None, True)}]}
    assert masker.mask_all(value) == {"<secret a>": ["<secret a>", {"n": 1, "t": ["<secret a>", None, True]}]}


def test_a_masker_shows_nothing_itself() -> None:
    assert repr(MASKER) == "Masker(1 secrets)"
