"""Who asks a watch to reconcile is answered by a turn that knows all that was known to them."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

from reconciler.loops.controlling.planning import Situation
from reconciler.loops.controlling.requests import Requests
from reconciler.store import Answer, ReconcileRequest
from tests.fakes.log import FakeLog

SITUATION = cast("Situation", SimpleNamespace(desired=SimpleNamespace(revision="1a2b3c4")))


class Fleet:
    """The requests that come, and the answers that they get."""

    def __init__(self, *names: str) -> None:
        self.coming = list(names)
        self.answers: dict[str, str] = {}

    def wait_request(self, _: float) -> ReconcileRequest | None:
        return ReconcileRequest(self.coming.pop(0), "ops-1") if self.coming else None

    def answer(self, name: str, answer: Answer) -> None:
        self.answers[name] = answer.text


def test_who_asks_during_a_turn_is_answered_by_the_next_one() -> None:
    fleet, stop = Fleet("early"), threading.Event()
    requests = Requests(cast("Any", SimpleNamespace(fleet=fleet)), FakeLog(), wake=stop.set)
    requests.run(stop)
    asked = requests.waiting()
    stop.clear()
    fleet.coming = ["late"]
    requests.run(stop)

    requests.settle(SITUATION, asked, idle=True, failed=False)
    assert fleet.answers == {"early": "it is done"}

    requests.settle(SITUATION, requests.waiting(), idle=True, failed=False)
    assert fleet.answers == {"early": "it is done", "late": "it is done"}
