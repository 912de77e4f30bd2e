"""Samples from hosts to a real server and back, with hosts and Redis that come and go."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import Unavailable
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.measuring.collector import Collector, sound
from reconciler.loops.measuring.ring import Ring
from reconciler.loops.measuring.sample_writer import SampleWriter
from reconciler.loops.measuring.watched_host import WatchedHost
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Measuring
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.integration.collector.measured import Bench, Fleet, Lines, Seen
from tests.integration.store.servers import valkey
from tests.waiting import until

RULE = Alert(Metadata("Busy", Origin("", 0)), "avg(cpu.percent, window=10m) > 90", "busy")


def test_a_host_is_sampled_every_interval_and_its_values_are_written(store: Store) -> None:
    bench = Bench(Fleet(), store)
    bench.run(21)
    assert len(bench.fleet.asked) == 5
    bench.collector.deliver()
    assert store.metrics.latest(["web-1"])["web-1"].values["cpu.percent"] == 50


def test_samples_wait_for_redis_and_are_written_in_order_at_the_times_when_they_were_taken(store: Store) -> None:
    bench = Bench(Fleet(), store)
    for value in (10.0, 20.0, 30.0):
        bench.fleet.values = {"cpu.percent": value}
        bench.run(5)
    assert bench.writer.count == 3
    bench.collector.deliver()
    assert bench.writer.count == 0
    latest = store.metrics.latest(["web-1"])["web-1"]
    since = latest.at - timedelta(seconds=60)
    points = store.metrics.series("web-1", ["cpu.percent"], since, latest.at)["cpu.percent"]
    assert [value for _, value in points] == [10, 20, 30]
    assert (points[-1][0] - points[0][0]).total_seconds() == pytest.approx(10, abs=5)


def test_what_waits_is_bounded_and_dropping_is_told(store: Store) -> None:
    bench = Bench(Fleet(), store)
    bench.run(5 * 740)
    assert bench.writer.count == 720
    bench.collector.deliver()
    assert bench.log.told.count("samples-dropped") == 1
    bench.collector.deliver()
    assert bench.writer.dropped == 0


def test_a_host_that_is_away_is_told_once_and_tried_more_and_more_seldom(store: Store) -> None:
    bench = Bench(Fleet(hosts=("web-1", "web-2"), away={"web-2"}), store)
    bench.run(300)
    assert bench.fleet.asked.count("web-1") == 60
    assert 5 <= bench.fleet.asked.count("web-2") <= 10
    assert bench.log.told.count("not-sampled") == 1
    bench.fleet.away.clear()
    bench.run(70)
    bench.collector.deliver()
    assert "web-2" in store.metrics.latest(["web-2"])


def test_rules_look_back_at_what_was_sampled(store: Store) -> None:
    bench = Bench(Fleet(rules=(RULE,)), store)
    bench.run(5)
    bench.collector.deliver()
    bench.run(15)
    assert [len(window) for window in bench.seen.windows] == [2, 3, 4]


def test_after_a_restart_rules_look_back_at_what_redis_remembers(store: Store) -> None:
    before = Bench(Fleet(rules=(RULE,)), store)
    before.run(60)
    before.collector.deliver()
    after = Bench(Fleet(rules=(RULE,), values={"cpu.percent": 99.0}), store)
    after.run(5)
    after.collector.deliver()
    after.run(6)
    assert len(after.seen.windows[-1]) >= 12
    assert after.seen.windows[-1][0] == 50
    assert after.seen.windows[-1][-1] == 99


def test_the_clock_of_a_host_is_compared_with_that_of_redis(store: Store) -> None:
    bench = Bench(Fleet(), store)
    bench.run(5)
    bench.collector.deliver()
    bench.run(5)
    bench.collector.deliver()
    offset = store.metrics.latest(["web-1"])["web-1"].values["clock.offset_seconds"]
    assert offset < -1e9, "the host says that it is 1970"


def test_services_and_health_make_the_status(store: Store) -> None:
    values = {"service.running[nginx]": 0.0, "service.running[cron]": 1.0, "health.ok[webapp]": 0.0}
    bench = Bench(Fleet(values=values), store)
    bench.run(1)
    bench.collector.deliver()
    assert store.metrics.latest(["web-1"])["web-1"].status == "failing: nginx, webapp"


def test_a_host_that_left_is_sampled_no_more(store: Store) -> None:
    bench = Bench(Fleet(), store)
    bench.run(5)
    bench.collector.show(Fleet(hosts=()))
    asked = len(bench.fleet.asked)
    bench.run(20)
    assert len(bench.fleet.asked) == asked


def test_what_a_host_tells_is_believed_only_where_it_is_numbers() -> None:
    odd = {"cpu.percent": 1, "x\n": 1.0, "": 1.0, "n" * 300: 1.0, "inf": float("inf"), "text": "1", "list": [1.0]}
    assert sound(odd) == {"cpu.percent": 1.0}
    assert sound(["cpu.percent"]) == {}
    assert len(sound({f"m{number}": 1.0 for number in range(5000)})) == 1000


def test_a_number_that_is_too_long_to_count_with_ends_nothing(store: Store) -> None:
    bench = Bench(Fleet(values={"cpu.percent": 10**400, "mem.percent": 5.0}), store)
    bench.run(5)
    bench.collector.deliver()
    assert "cpu.percent" not in store.metrics.latest(["web-1"])["web-1"].values
    assert store.metrics.latest(["web-1"])["web-1"].values["mem.percent"] == 5.0


class Stumbling(Seen):
    """Cannot judge one of the hosts."""

    def judge(self, host: WatchedHost, ring: Ring, at: float, now: datetime) -> None:
        if host.name == "web-1":
            raise ValueError("odd")
        super().judge(host, ring, at, now)


def test_a_host_that_cannot_be_judged_keeps_no_other_from_being_sampled(store: Store) -> None:
    judge = Stumbling()
    bench = Bench(Fleet(hosts=("web-1", "web-2")), store, judge=judge)
    bench.run(5)
    bench.collector.deliver()
    bench.run(10)
    assert len(judge.windows) >= 2
    assert bench.log.told.count("not-judged") == 1


def test_a_short_memory_is_told_and_the_latest_values_go_on(store: Store) -> None:
    bench = Bench(Fleet(), store)
    store.metrics.hold_series(["web-1"])
    bench.run(5)
    bench.collector.deliver()
    assert bench.log.told == ["series-paused"]
    assert store.metrics.latest(["web-1"])["web-1"].values["cpu.percent"] == 50


def test_samples_survive_a_server_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with valkey(tmp_path) as url:
        store = Store(at_url(url, SystemClock()))
        bench = Bench(Fleet(), store)
        bench.run(5)
        bench.collector.deliver()
    bench.run(20)
    with pytest.raises(Unavailable):
        bench.collector.deliver()
    assert bench.writer.count == 4
    store.close()


def test_it_runs_in_threads_of_its_own_until_it_is_stopped(store: Store) -> None:
    fleet = Fleet(measuring=Measuring(interval_seconds=1.0))
    clock = SystemClock()
    writer = SampleWriter(store, clock)
    collector = Collector(
        sample=fleet.sample, writer=writer, crew=Crew(lambda _: True), clock=clock, log=Lines(), judge=Seen()
    )
    collector.show(fleet)
    stop = threading.Event()
    thread = threading.Thread(target=collector.run, args=(stop,))
    thread.start()
    until(lambda: store.metrics.latest(["web-1"]), "a sample")
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
