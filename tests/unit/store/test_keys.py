from __future__ import annotations

import pytest

from reconciler.store.keys import Keys

KEYS = Keys()


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        (KEYS.host("web-1") + "desired", "HOST:desired"),
        (KEYS.host("web-1") + "config:web:app", "HOST:config:APP"),
        (KEYS.host("a.b_c-d") + "work:converge:webapp", "HOST:work:ID"),
        (KEYS.host("app:x") + "inflight:01J", "HOST:inflight:ID"),
        (KEYS.host("web-1") + "output:01J", "HOST:output:ID"),
        (KEYS.schedule("nightly"), "_:schedule:ID"),
        (KEYS.lock("mine"), "_:lock:ID"),
        (KEYS.control + "control", "_:control"),
        (KEYS.app("webapp"), "app:APP"),
        (KEYS.bundle("ab" * 32), "bundle:BUNDLE"),
        (KEYS.ready("ops"), "POOL:ready"),
    ],
)
def test_a_key_has_the_shape_that_the_list_of_permanent_keys_names(key: str, shape: str) -> None:
    assert KEYS.shape(key) == shape


def test_all_keys_stand_under_the_prefix() -> None:
    keys = Keys("test:")
    made = [keys.host("a"), keys.control, keys.app("a"), keys.bundle("a"), keys.ready("a")]
    assert all(key.startswith("test:") for key in made)
    assert made[0] == "test:{a}:"
