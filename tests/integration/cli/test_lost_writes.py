"""A watch whose Redis fails over, or moves keys, in the middle: what got lost is written again."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.store.connect import connect
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_watching import watching
from tests.integration.store.failing_over import guarded, nodes_of
from tests.integration.store.servers import cluster, valkey
from tests.waiting import until


def test_after_a_failover_a_watch_writes_again_what_the_new_primary_lacks(
    small: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(tmp_path / "servers") as servers:
        monkeypatch.setenv("RECONCILER_REDIS_URL", servers.url)
        with watching(small) as watch:
            until(lambda: servers.replica_has("rc:{demo}:desired"))
            until(lambda: "in sync  healthy" in small("status").out)
            servers.lose("DEL", "rc:{demo}:desired")
            servers.fail_over()
            until(lambda: servers.replica_has("rc:{demo}:desired"), "the statement")
            small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
            until(lambda: small.on_host("/etc/hello").read_text() == "Bye from demo\n")
            assert watch.running


@pytest.mark.cluster
@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "key-by-key"])
def test_slots_of_a_cluster_move_under_a_watch(
    small: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: bool
) -> None:
    with cluster(tmp_path) as url, nodes_of(url) as nodes:
        monkeypatch.setenv("RECONCILER_REDIS_URL", url)
        with watching(small) as watch:
            until(lambda: "in sync  healthy" in small("status").out)
            for number, host in enumerate(("demo", "_", "demo", "_")):
                small.write("templates/hello.j2", f"text {number}\n")
                (nodes.move_at_once if at_once else nodes.move)(nodes.slot(host))
                until(lambda text=f"text {number}\n": small.on_host("/etc/hello").read_text() == text)  # type: ignore[misc]
            until(lambda: "in sync  healthy" in small("status").out)
            assert watch.running


def test_an_emptied_redis_is_filled_again_under_a_watch_and_no_host_is_touched(
    small: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with valkey(tmp_path / "server") as url:
        monkeypatch.setenv("RECONCILER_REDIS_URL", url)
        link = connect(url, SystemClock())
        with watching(small) as watch:
            until(lambda: "in sync  healthy" in small("status").out)
            written = small.on_host("/etc/hello").stat().st_mtime_ns
            link.send("FLUSHALL")
            until(lambda: link.send("EXISTS", "rc:{demo}:desired", "rc:{demo}:observed") == 2, "what it knew")
            until(lambda: "in sync  healthy" in small("status").out)
            assert small.on_host("/etc/hello").stat().st_mtime_ns == written
            small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
            until(lambda: small.on_host("/etc/hello").read_text() == "Bye from demo\n")
            assert watch.running
        link.close()
