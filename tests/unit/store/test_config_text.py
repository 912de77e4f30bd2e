from __future__ import annotations

import pytest

from reconciler.store.desired import config_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.10", "1.10"),
        ("", ""),
        (80, "80"),
        (True, "true"),
        (None, "null"),
        (["a", 1], '["a",1]'),
        ({"secret": "db/pass"}, "secret:db/pass"),
        ({"user": "u", "pass": {"secret": "db/pass"}}, '{"user":"u","pass":"secret:db/pass"}'),
        ("é", "é"),
    ],
)
def test_a_config_value_reads_as_text(value: object, text: str) -> None:
    assert config_text(value) == text
