"""When the executor's thread of a watch asks hosts for work: on a hint, now and then, at once where they are new."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import structlog

from reconciler.loops.watching.worker import Worker
from tests.fakes.clock import FakeClock


class Turns:
    """A worker whose every wait for hints is one turn of a story."""

    def __init__(self, *turns: tuple[Sequence[str], tuple[str, ...]]) -> None:
        self.clock = FakeClock()
        self.asked: list[list[str]] = []
        """In each turn, the hosts that were asked."""
        self._turns = list(turns)
        self._hosts: tuple[str, ...] = ()
        self._stop = threading.Event()

    def ready(self, *, wait_seconds: float) -> Sequence[str]:
        hints, self._hosts = self._turns.pop(0)
        self.asked.append([])
        if not self._turns:
            self._stop.set()
        self.clock.sleep(wait_seconds)
        return hints

    def _converge(self, host: str) -> None:
        self.asked[-1].append(host)

    def play(self) -> list[list[str]]:
        crew = SimpleNamespace(remote=lambda _: False, busy=False)
        executor: Any = SimpleNamespace(crew=crew, report=list, converge=self._converge)
        store: Any = SimpleNamespace(work=self)
        runs: Any = SimpleNamespace(start=lambda _: (), close=lambda: None)
        Worker(
            executor,
            store,
            lambda: self._hosts,
            self.clock,
            structlog.get_logger(),
            settled=lambda _: None,
            runs=lambda _: runs,
        ).run(self._stop)
        return self.asked


def test_a_host_whose_hint_came_before_it_was_known_is_asked_as_soon_as_it_is() -> None:
    assert Turns((["web-1"], ()), ([], ("web-1",))).play() == [[], ["web-1"]]


def test_between_sweeps_only_hosts_with_a_hint_are_asked() -> None:
    both = ("web-1", "web-2")
    assert Turns(([], both), (["web-2"], both), ([], both)).play() == [["web-1", "web-2"], ["web-2"], []]
