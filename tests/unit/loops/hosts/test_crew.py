"""Work on many hosts at once, each with one thing at a time."""

from __future__ import annotations

import threading

import pytest

from reconciler.loops.hosts.crew import Crew
from tests.waiting import until


def test_what_is_found_comes_in_the_order_of_the_hosts() -> None:
    crew = Crew(lambda host: host.startswith("web"))
    assert crew.each(str.upper, ["web-2", "db", "web-1"]) == ["WEB-2", "DB", "WEB-1"]
    assert crew.each(str.upper, []) == []


def test_remote_hosts_are_worked_on_together_and_local_ones_here() -> None:
    together = threading.Barrier(3)
    here = threading.current_thread()

    def work(host: str) -> bool:
        if host == "local":
            return threading.current_thread() is here
        together.wait()
        return threading.current_thread() is not here

    assert all(Crew(lambda host: host != "local").each(work, ["a", "b", "c", "local"]))


def test_never_more_at_once_than_there_are_threads() -> None:
    at_once = threading.Semaphore(2)

    def work(host: str) -> bool:
        free = at_once.acquire(blocking=False)
        if free:
            at_once.release()
        return free

    assert all(Crew(lambda _: True, size=2).each(work, map(str, range(50))))


def test_an_error_on_one_host_is_raised_after_the_others_are_done() -> None:
    done: list[str] = []

    def work(host: str) -> None:
        if host == "bad":
            raise ValueError(host)
        done.append(host)

    with pytest.raises(ValueError, match="bad"):
        Crew(lambda _: True).each(work, ["bad", "a", "b"])
    assert sorted(done) == ["a", "b"]


def test_a_host_gets_one_piece_of_work_at_a_time() -> None:
    crew = Crew(lambda _: True)
    gate = threading.Event()
    assert crew.start("a", lambda: until(gate.is_set))
    assert not crew.start("a", lambda: None)
    assert crew.start("b", lambda: None)
    assert crew.busy
    gate.set()
    until(lambda: not crew.busy)
    assert crew.start("a", lambda: None)
    until(lambda: not crew.busy)
    crew.close()


def test_an_interrupt_waits_for_nobody() -> None:
    gate = threading.Event()
    begun: list[str] = []

    def work(host: str) -> None:
        if host == "local":
            raise KeyboardInterrupt
        begun.append(host)
        until(gate.is_set)

    with pytest.raises(KeyboardInterrupt):
        Crew(lambda host: host != "local", size=2).each(work, ["a", "b", "c", "d", "local"])
    gate.set()
    assert {"c", "d"}.isdisjoint(begun)
