"""What a person reads when the server is not one that can hold the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import InvalidInput, ReconcilerError, Unavailable
from reconciler.model.work import RUN, Work
from reconciler.store import Store
from reconciler.store.opening import at_url
from reconciler.store.server import Server
from tests.integration.store.servers import valkey
from tests.ports import free_port
from tests.waiting import until


def opened(url: str, *, read_only: bool = False) -> Store:
    return Store(at_url(url, SystemClock(), read_only=read_only))


def server_of(store: Store) -> Server:
    link = store._opened.link
    assert isinstance(link, Server)
    return link


def refusal(url: str, *, read_only: bool = False) -> ReconcilerError:
    with pytest.raises(ReconcilerError) as caught:
        opened(url, read_only=read_only)
    return caught.value


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with valkey(tmp_path_factory.mktemp("valkey"), "--requirepass", "right", "--repl-diskless-sync-delay", "0") as url:
        yield url.replace("127.0.0.1", ":right@127.0.0.1")


def test_no_server_at_all() -> None:
    port = free_port()
    error = refusal(f"redis://127.0.0.1:{port}/0")
    assert isinstance(error, Unavailable)
    assert str(error).startswith(f"redis://127.0.0.1:{port}/0: cannot be reached.")
    assert "RECONCILER_REDIS_URL" in str(error)


def test_no_node_of_a_cluster() -> None:
    error = refusal(f"redis+cluster://127.0.0.1:{free_port()}")
    assert isinstance(error, Unavailable)
    assert "cannot be reached" in str(error)


def test_a_server_that_is_no_cluster(url: str) -> None:
    error = refusal(url.replace("redis://", "redis+cluster://"))
    assert isinstance(error, ReconcilerError)
    assert "redis+cluster://" in str(error)


def test_a_node_of_a_cluster_by_a_url_for_a_single_server(tmp_path: Path) -> None:
    with valkey(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as url:
        error = refusal(url)
    assert isinstance(error, InvalidInput)
    assert "this server is one node of a cluster. Use redis+cluster://" in str(error)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_told_and_not_repeated(url: str, password: str) -> None:
    error = refusal(url.replace(":right@", f":{password}@" if password else ""))
    assert isinstance(error, InvalidInput)
    assert error.problems[0].code == "redis-denied"
    assert "wrong@" not in str(error)


def test_the_right_password(url: str) -> None:
    with opened(url) as store:
        store.check()


def test_an_eviction_policy(url: str) -> None:
    with opened(url) as store:
        link = server_of(store)
        link.ask_primaries("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        error = refusal(url)
        link.ask_primaries("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert isinstance(error, InvalidInput)
    assert "CONFIG SET maxmemory-policy noeviction" in str(error)


def test_a_server_that_is_full_or_becomes_full(url: str) -> None:
    with opened(url) as store:
        link = server_of(store)
        link.ask_primaries("CONFIG", "SET", "maxmemory", "1")
        at_once = refusal(url)
        with pytest.raises(Unavailable, match="the memory limit is reached") as later:
            store.work.enqueue([Work("r1", "web-1", RUN)])
        with opened(url, read_only=True) as reader:
            assert reader.observed.read(["web-1"]) == {}
        link.ask_primaries("CONFIG", "SET", "maxmemory", "0")
    assert [at_once.problems[0].code, later.value.problems[0].code] == ["redis-full", "redis-full"]


def test_a_replica_serves_a_dry_run_but_no_writer(url: str, tmp_path: Path) -> None:
    port = url.rpartition(":")[2].partition("/")[0]
    options = ["--replicaof", "127.0.0.1", port, "--masterauth", "right"]
    with opened(url) as primary, valkey(tmp_path, *options) as replica:
        primary.observed.write_ledger("web-1", generation=7)
        with opened(replica, read_only=True) as reader:
            until(lambda: "web-1" in reader.observed.read(["web-1"]), "the replica's copy")
        error = refusal(replica)
    assert isinstance(error, Unavailable)
    assert "Point RECONCILER_REDIS_URL at the primary" in str(error)


def test_a_key_of_another_program(url: str) -> None:
    with opened(url) as store:
        link = store._opened.link
        link.send("SET", "rc:{_}:hosts", "mine")
        assert store.observed.hosts() == frozenset()
        assert [problem.code for problem in store.problems] == ["store-record"]
        with pytest.raises(InvalidInput, match="Is another program using this database"):
            store.desired.forget("web-1", 1)
        link.send("DEL", "rc:{_}:hosts")


def test_a_user_who_may_not_write(url: str) -> None:
    with opened(url) as store:
        acl = ["ACL", "SETUSER", "reader", "on", ">secret", "~rc:*", "+@read", "+info", "+ping", "+client"]
        server_of(store).ask_primaries(*acl)
    reader = url.replace(":right@", "reader:secret@")
    with opened(reader, read_only=True) as store:
        assert store.observed.read(["never-heard-from"]) == {}
    error = refusal(reader)
    assert isinstance(error, InvalidInput)
    assert error.problems[0].code == "redis-no-permission"


def test_a_server_that_comes_back_is_used_again(tmp_path: Path) -> None:
    port = free_port()
    with valkey(tmp_path, port=port) as url:
        store = opened(url)
        store.work.enqueue([Work("r1", "web-1", RUN)])
    with pytest.raises(Unavailable):
        store.work.enqueue([Work("r2", "web-1", RUN)])
    with valkey(tmp_path, port=port):
        assert store.work.enqueue([Work("r3", "web-1", RUN)]) == 1
    store.close()


def test_sentinels_lead_to_the_primary(tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor fleet 127.0.0.1 {port} 1\n")
    sentinel_port = free_port()
    with valkey(tmp_path / "primary", port=port), valkey(tmp_path, port=sentinel_port, sentinel=config):
        with opened(f"redis+sentinel://127.0.0.1:{sentinel_port}/fleet/0") as store:
            assert store.work.enqueue([Work("r1", "web-1", RUN)]) == 1
        with pytest.raises(Unavailable, match="cannot be reached"):
            opened(f"redis+sentinel://127.0.0.1:{sentinel_port}/other")
