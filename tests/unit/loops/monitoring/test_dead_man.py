"""The dead man's switch is called while all is well, and only then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from reconciler.errors import InvalidInput, Unavailable
from reconciler.loops.monitoring.dead_man import DeadMan
from reconciler.loops.monitoring.notifier import Notifier
from reconciler.loops.monitoring.notifying import Notifying
from reconciler.model.delivery import SENT, Delivery, Outcome
from reconciler.model.manifests import Fleet, Manifests
from reconciler.model.metadata import Metadata, Origin
from tests.fakes.clock import FakeClock

URL = "https://dead.example.org/x"
FLEET = Manifests(Fleet(Metadata("example", Origin("", 0)), dead_man=URL), {}, {}, {})


class Idle:
    """A notifier that has nothing to send, or no Redis."""

    away = False

    def tick(self, manifests: Manifests) -> int:
        if self.away:
            raise Unavailable.of("redis-unreachable", "cannot be reached")
        return 0


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.calls: list[float] = []
        self.lines: list[str] = []
        self.answer = SENT
        self.idle = Idle()
        dead_man = DeadMan(self.call, self.resolve, self.clock, self)
        self.notifying = Notifying(cast("Notifier", self.idle), dead_man, self.clock, self)
        self.secrets: dict[str, str] = {}

    def call(self, url: str) -> Delivery:
        assert url == URL
        self.calls.append(self.clock.seconds)
        return self.answer

    def resolve(self, paths: Iterable[str]) -> Mapping[str, str]:
        if not all(path in self.secrets for path in paths):
            raise InvalidInput.of("secret-not-found", "secret dead/man not found")
        return {path: self.secrets[path] for path in paths}

    def info(self, event: str, **values: Any) -> None:
        self.lines.append(f"{event} {values}")

    warning = error = info

    def run(self, seconds: int, *, leading: bool = True, source_age: float = 0.0, fleet: Manifests = FLEET) -> int:
        before = len(self.calls)
        for _ in range(seconds):
            if leading:
                self.notifying.lead(fleet, source_age)
            self.notifying.tick()
            self.clock.sleep(1)
        return len(self.calls) - before


def test_it_is_called_every_minute_while_all_is_well() -> None:
    assert Bench().run(600) == 10


def test_it_is_not_called_while_someone_else_controls_the_fleet() -> None:
    bench = Bench()
    bench.notifying.lead(FLEET, 0)
    bench.notifying.stand_by()
    assert bench.run(300, leading=False) == 0


def test_it_is_not_called_when_the_watch_takes_no_turns() -> None:
    bench = Bench()
    bench.run(1)
    assert bench.run(600, leading=False) == 2


def test_it_is_not_called_once_git_was_out_of_reach_for_too_long() -> None:
    bench = Bench()
    assert bench.run(60, source_age=800) == 1
    assert bench.run(300, source_age=901) == 0


def test_it_is_not_called_while_redis_is_away() -> None:
    bench = Bench()
    bench.idle.away = True
    bench.notifying.lead(FLEET, 0)
    try:
        bench.notifying.tick()
    except Unavailable:
        assert bench.calls == []
    else:
        raise AssertionError


def test_a_call_that_does_not_arrive_is_told_once() -> None:
    bench = Bench()
    bench.answer = Delivery(Outcome.LATER, "HTTP 500")
    bench.run(300)
    assert bench.lines == ["dead-man-not-called {'reason': 'HTTP 500'}"]


def test_its_url_may_be_a_secret() -> None:
    bench = Bench()
    fleet = replace(FLEET, fleet=replace(FLEET.fleet, dead_man={"secret": "dead/man"}))
    assert bench.run(60, fleet=fleet) == 0
    assert bench.lines == ["dead-man-not-called {'reason': 'secret dead/man not found'}"]
    bench.secrets["dead/man"] = URL
    assert bench.run(60, fleet=fleet) == 1
