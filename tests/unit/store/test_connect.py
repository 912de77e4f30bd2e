from __future__ import annotations

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import InvalidInput
from reconciler.store.connect import connect


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("rediss://user:secret@redis.example:6380/2", "rediss://redis.example:6380/2"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("redis+sentinel://:secret@a:26379,b/fleet/1?sentinel_password=x", "redis+sentinel://a:26379,b/fleet/1"),
    ],
)
def test_a_server_is_named_without_its_password(url: str, where: str) -> None:
    server = connect(url, SystemClock())
    assert server.where == where
    server.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:6379",
        "http://127.0.0.1:6379",
        "redis://127.0.0.1:port",
        "redis+sentinel://a:26379",
        "redis+sentinel://a:26379/fleet/one",
        "redis+sentinel:///fleet",
        "redis+cluster://",
        "redis://[::1",
    ],
)
def test_a_url_in_no_known_form_is_told_with_the_forms(url: str) -> None:
    with pytest.raises(InvalidInput, match="RECONCILER_REDIS_URL is redis://") as caught:
        connect(url, SystemClock())
    assert caught.value.problems[0].code == "redis-url"
