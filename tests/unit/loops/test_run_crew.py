"""How many runs one process takes upon itself."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from reconciler.clock import SystemClock
from reconciler.loops.running.live_run import LiveRun
from reconciler.loops.running.run_crew import AT_ONCE, RunCrew
from reconciler.model.work import RUN, Claim, Lane, Work
from reconciler.resources.protocol import RunFinished
from tests.waiting import until


class Queue:
    """Hosts with runs that are due, each handed out once."""

    def __init__(self, hosts: Sequence[str], each: int) -> None:
        self.due = {lane: dict.fromkeys(hosts, each) for lane in Lane}
        self.claimed: defaultdict[str, int] = defaultdict(int)

    def claim_many(self, hosts: Sequence[str], *, limit: int, lane: Lane, **_: Any) -> list[Claim]:
        found: list[Claim] = []
        for host in hosts:
            left = self.due[lane][host]
            ids = [f"{lane.value}-{number}" for number in range(left, max(0, left - limit), -1)]
            found += [Claim(Work(id_, host, RUN), 1, 1) for id_ in ids]
            self.due[lane][host] = left - len(ids)
            self.claimed[host] += limit
        return found


class Slow:
    """Carries out nothing until it may."""

    def __init__(self) -> None:
        self.holder, self.lease_seconds = "ops-1", 30.0
        self.may = threading.Event()

    def perform(self, _: LiveRun) -> RunFinished:
        self.may.wait(60)
        return RunFinished("succeeded")


class GivesBack:
    """Gives its run back the first time, and is given it again before it has ended."""

    def __init__(self) -> None:
        self.holder, self.lease_seconds = "ops-1", 30.0
        self.given: list[int] = []
        self.again: Callable[[], object] = lambda: None

    def perform(self, live: LiveRun) -> RunFinished:
        self.given.append(live.claim.token)
        live.recorded = live.claim
        if len(self.given) == 1:
            self.again()
        return RunFinished("lost")


def crew_of(queue: Queue, slow: Slow) -> RunCrew:
    store: Any = SimpleNamespace(work=queue)
    executor: Any = slow
    return RunCrew(executor, store, SystemClock(), lambda *_: None, lambda: None)


def test_no_more_is_claimed_than_can_be_begun_and_the_rest_follows() -> None:
    hosts = [f"host-{number}" for number in range(AT_ONCE + 100)]
    queue, slow = Queue(hosts, each=1), Slow()
    crew = crew_of(queue, slow)
    left = crew.start(hosts)
    assert len(queue.claimed) == AT_ONCE
    assert crew.start(left) == left
    slow.may.set()
    while left:
        until(lambda: not crew.busy, "the end of those before")
        left = crew.start(left)
    assert not any(queue.due[lane][host] for lane in Lane for host in hosts)


def test_a_run_that_is_given_back_and_given_to_us_again_meanwhile_is_begun_again() -> None:
    due = [Claim(Work("r1", "web-1", RUN), 1, token) for token in (1, 2)]

    def claim_many(*_: Any, lane: Lane, **__: Any) -> list[Claim]:
        return [due.pop(0)] if due and lane is Lane.SIDE else []

    store: Any = SimpleNamespace(work=SimpleNamespace(claim_many=claim_many))
    executor: Any = GivesBack()
    crew = RunCrew(executor, store, SystemClock(), lambda *_: None, lambda: None)
    executor.again = lambda: crew.start(["web-1"])
    crew.start(["web-1"])
    until(lambda: executor.given == [1, 2], "the second time")
    until(lambda: not crew.busy)


def test_what_changes_nothing_shares_what_room_there_is_among_the_hosts() -> None:
    hosts = [f"host-{number}" for number in range(100)]
    queue, slow = Queue(hosts, each=50), Slow()
    crew = crew_of(queue, slow)
    crew.start(hosts)
    assert all(queue.claimed[host] for host in hosts)
    slow.may.set()
