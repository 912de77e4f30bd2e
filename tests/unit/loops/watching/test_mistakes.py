"""Mistakes of the newest tree are told once, and to the monitor for as long as they are there."""

from __future__ import annotations

from reconciler.loops.watching.mistakes import Mistakes
from tests.fakes.log import FakeLog


def test_mistakes_are_told_once_and_that_they_are_mended() -> None:
    log, noted = FakeLog(), list[float]()
    mistakes = Mistakes(noted.append, log)
    mistakes.none("1111111")
    mistakes.found("a.yaml:1: what", "1111111")
    mistakes.found("a.yaml:1: what", "1111111")
    mistakes.none("2222222")
    mistakes.none("2222222")
    assert log.events == ["invalid", "mended"]
    assert noted == [0.0, 1.0, 1.0, 0.0, 0.0]
