"""One form of JSON for digests and signatures."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.canonical import canonical, digest

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(scalars, lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper), max_leaves=12)


def backwards(tree: object) -> object:
    """The same tree with the keys of every map entered in the opposite order."""
    if isinstance(tree, dict):
        return {key: backwards(tree[key]) for key in reversed(tree)}
    return [backwards(item) for item in tree] if isinstance(tree, list) else tree


def test_the_form_is_compact_sorted_utf_8() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "ü\n"}) == '{"a":"ü\\n","b":[1,2.5,null]}'.encode()


def test_the_digest_is_what_sha256sum_says_of_the_form() -> None:
    assert digest({"b": 1, "a": []}) == "1c8f8816506a8ccbc55140d8a7bb70214a8942c7030fc0fc2914cec675cd1c15"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_number_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical([number])


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        canonical("\ud800")


def test_true_one_and_the_text_one_are_different() -> None:
    assert len({digest(value) for value in (True, 1, "1", [1])}) == 4


@given(tree=trees)
def test_the_order_of_keys_does_not_matter(tree: object) -> None:
    assert canonical(tree) == canonical(backwards(tree))


@given(tree=trees)
def test_nothing_is_lost(tree: object) -> None:
    assert json.loads(canonical(tree)) == tree


@given(tree=trees)
def test_reading_and_writing_again_gives_the_same_bytes(tree: object) -> None:
    assert canonical(json.loads(canonical(tree))) == canonical(tree)
