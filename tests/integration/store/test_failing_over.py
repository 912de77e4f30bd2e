"""Sentinel failover and slots of a cluster that move: what is lost is told, and everything goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.model.work import RUN, Claim, Work
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.integration.store.failing_over import guarded, nodes_of
from tests.integration.store.servers import cluster
from tests.waiting import until


def test_after_a_sentinel_failover_work_goes_on_at_the_new_primary_and_the_interruption_is_told(
    tmp_path: Path,
) -> None:
    with guarded(tmp_path / "servers") as servers, Store(at_url(servers.url, SystemClock())) as store:
        assert store.work.enqueue([Work("r1", "web-1", RUN)]) == 1
        until(lambda: servers.replica_has("rc:{web-1}:work:r1"))
        servers.fail_over()
        until(lambda: _enqueued(store, "r2"), "a new primary")
        assert store.interruptions > 0
        assert [claim.work.id for claim in _claimed(store)] == ["r1", "r2"]


@pytest.mark.cluster
def test_a_node_of_a_cluster_that_dies_is_found_under_its_successor(tmp_path: Path) -> None:
    with cluster(tmp_path) as url, nodes_of(url) as nodes, Store(at_url(url, SystemClock())) as store:
        serving = nodes.owner(nodes.slot("web-1"))
        with nodes.replica_of(serving, tmp_path / "replica") as replica:
            assert store.work.enqueue([Work("r1", "web-1", RUN)]) == 1
            until(lambda: nodes.nodes[serving].send("WAIT", "1", "100") == 1, "the replica's copy")
            nodes.fail_over(serving, replica)
            until(lambda: _enqueued(store, "r2"), "a successor")
            assert [claim.work.id for claim in _claimed(store)] == ["r1", "r2"]


@pytest.mark.cluster
def test_commands_follow_keys_that_are_on_their_way_and_read_the_same_there(tmp_path: Path) -> None:
    with cluster(tmp_path) as url, nodes_of(url) as nodes, Store(at_url(url, SystemClock())) as store:
        store.observed.write_facts("web-1", {"cores": 2})
        store.work.enqueue([Work("r1", "web-1", RUN)])
        with nodes.moving(nodes.slot("web-1")):
            assert store.observed.read(["web-1"])["web-1"].facts == {"cores": 2}
            assert store.work.get("web-1", "r1")
        assert store.observed.read(["web-1"])["web-1"].facts == {"cores": 2}
        assert [claim.work.id for claim in _claimed(store)] == ["r1"]


def _claimed(store: Store) -> list[Claim]:
    return list(store.work.claim("web-1", holder="x", nonce="n", limit=9, lease_seconds=30))


def _enqueued(store: Store, run: str) -> bool:
    try:
        return bool(store.work.enqueue([Work(run, "web-1", RUN)]) or store.work.get("web-1", run))
    except Unavailable:
        return False
