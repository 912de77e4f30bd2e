"""Nobody waits for ever for what a host says of its own work: it writes that itself."""

from __future__ import annotations

import json
from typing import Any

from reconciler.clock import SystemClock
from reconciler.loops.controlling.given import Given
from reconciler.loops.converging.outcome import Nobody
from reconciler.loops.running.following import RunFollowing
from reconciler.loops.running.waiting import RunWaiting
from reconciler.model.desired import Bundle
from reconciler.model.observed import AppStatus
from reconciler.model.run import JobPolicy
from reconciler.model.work import RUN, Work, WorkState, converge_mark
from reconciler.store import Store
from tests.fakes.clock import FakeClock
from tests.integration.store.conftest import Inside


class Hasty(FakeClock):
    """Ten minutes pass whenever someone waits."""

    def sleep(self, seconds: float) -> None:
        super().sleep(600)


class Quiet:
    def moved(self, work: Work) -> None: ...

    def printed(self, work: Work, text: str) -> None: ...


def test_a_run_that_is_said_to_go_on_for_ever_is_given_up(store: Store, inside: Inside) -> None:
    clock = Hasty(SystemClock().now().timestamp())
    bundle = Bundle.of({"policy": JobPolicy(retries=1).to_json()})
    store.desired.put_bundles([bundle])
    words: dict[str, Any] = {"bundle": bundle.sha, "notAfter": int(clock.seconds * 1000) + 60_000}
    work = Work("r1", "web-1", RUN, {"run": json.dumps(words)})
    store.work.enqueue([work])
    words["notAfter"] *= 2
    inside.link.send("HSET", "rc:{web-1}:work:r1", "state", "running", "args", json.dumps({"run": json.dumps(words)}))
    following = RunFollowing(store, [work], Quiet())
    RunWaiting(store, clock, _no_crew, ()).wait(following)
    (ended,) = following.works
    assert (ended.state, ended.reason) == (WorkState.CANCELLED, "its host says that it goes on for longer than it can")


def test_an_app_that_is_said_to_be_worked_on_for_ever_is_given_up(store: Store) -> None:
    given = Given(store, lambda: {"web-1"}, Hasty())
    store.observed.write_facts("web-1", {})
    store.work.enqueue([converge_mark("web-1", "webapp")])
    store.work.claim("web-1", holder="agent", nonce="n1")
    given.give([("web-1", "webapp")])
    nowhere: Any = None
    (outcome,) = given.wait(nowhere, Nobody())
    (app,) = outcome.apps
    assert app.status is AppStatus.WAITING
    assert "has not come to an end with this" in app.problems[0].message


def _no_crew() -> Any:
    class Nothing:
        def start(self, hosts: object) -> int:
            return 0

    return Nothing()
