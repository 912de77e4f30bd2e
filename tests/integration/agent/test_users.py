"""Redis users of hosts, made and taken away by operators with and without the right to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import InvalidInput
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.integration.store.servers import valkey

PASSWORD = f"#{hashlib.sha256(b'secret').hexdigest()}"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with valkey(tmp_path / "valkey") as url:
        yield url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(at_url(url, SystemClock())) as opened:
        yield opened


def test_setting_a_user_again_leaves_it_as_it_is(store: Store) -> None:
    assert store.users.state("web-1") is None
    store.users.set("web-1", PASSWORD)
    made = store.users.state("web-1")
    assert made is not None
    store.users.set("web-1", PASSWORD)
    assert store.users.state("web-1") == made


def test_a_removed_user_is_gone(store: Store) -> None:
    store.users.set("web-1", PASSWORD)
    store.users.remove("web-1")
    assert store.users.state("web-1") is None


def test_who_may_not_make_users_is_told_so_and_gets_the_command_for_someone_who_may(url: str, store: Store) -> None:
    limited = ["ACL", "SETUSER", "operator", "on", ">secret", "~*", "+@all", "-acl"]
    opened = at_url(url, SystemClock())
    opened.link.ask_primaries(*limited)
    opened.close()
    with Store(at_url(f"redis://operator:secret@{urlsplit(url).netloc}/0", SystemClock())) as operator:
        for act in (operator.users.state, operator.users.remove, lambda host: operator.users.set(host, PASSWORD)):
            with pytest.raises(InvalidInput) as error:
                act("web-1")
            assert error.value.problems[0].code == "redis-no-permission"
        assert operator.users.command("web-1", PASSWORD) == store.users.command("web-1", PASSWORD)
