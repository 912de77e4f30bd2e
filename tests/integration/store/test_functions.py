from __future__ import annotations

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Refused
from reconciler.model.work import RUN, Work
from reconciler.store import Store
from reconciler.store.library import library
from reconciler.store.opening import at_url
from tests.integration.store.conftest import Inside


def loaded_versions(inside: Inside) -> set[bytes]:
    return set(inside.link.ask_primaries("FCALL_RO", "reconciler_version", "0"))


def test_functions_that_vanished_are_loaded_again_and_the_call_is_sent_again(store: Store, inside: Inside) -> None:
    inside.link.ask_primaries("FUNCTION", "FLUSH")
    hosts = [f"web-{number}" for number in range(20)]
    assert store.work.enqueue([Work("r1", host, RUN) for host in hosts]) == 20
    assert loaded_versions(inside) == {library().version.encode()}


def test_another_version_of_the_functions_is_replaced_when_a_store_is_opened(server_url: str, inside: Inside) -> None:
    other = library().code.replace(f"'{library().version}'", "'another'")
    inside.link.ask_primaries("FUNCTION", "LOAD", "REPLACE", other)
    assert loaded_versions(inside) == {b"another"}
    at_url(server_url, SystemClock()).close()
    assert loaded_versions(inside) == {library().version.encode()}


def test_a_store_opened_for_reading_loads_nothing_and_writes_nothing(server_url: str, inside: Inside) -> None:
    inside.link.ask_primaries("FUNCTION", "FLUSH")
    with Store(at_url(server_url, SystemClock(), read_only=True)) as store:
        assert store.observed.read(["web-1"]) == {}
        assert store.desired.read("web-1") is None
        with pytest.raises(Refused, match="opened for reading only"):
            store.work.enqueue([Work("r1", "web-1", RUN)])
        with pytest.raises(Refused, match="opened for reading only"):
            store.journal.append("applied")
    assert inside.all_keys() == []
    assert inside.link.ask_primaries("FUNCTION", "LIST")[0] == []
