"""What becomes of runs whose host cannot be reached, before and after they had begun there."""

from __future__ import annotations

import pytest

from reconciler.model.work import WorkState
from reconciler.resources.machine.system import Completed
from tests.integration.running.conftest import DEED, EXPIRES_SECONDS, Ops, cut


def test_a_host_out_of_reach_uses_up_no_try(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.away = True
    for _ in range(5):
        ops.turn()
    assert (ops.work.state, ops.work.result["tries"]) == (WorkState.RETRYING, 0)
    ops.wire.away = False
    ops.wire.host.answers[DEED] = Completed(1)
    ops.turn()
    assert ops.work.state is WorkState.RETRYING
    ops.turn()
    assert (ops.work.state, ops.work.result["tries"], ops.done) == (WorkState.FAILED, 2, 2)


def test_it_is_waited_for_as_long_as_the_run_may_be_begun(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.away = True
    ops.clock.sleep(EXPIRES_SECONDS - 1)
    ops.turn()
    assert ops.work.state is WorkState.RETRYING
    ops.clock.sleep(2)
    ops.turn()
    assert (ops.work.state, ops.work.result["code"]) == (WorkState.FAILED, "unreachable")


def test_a_run_that_may_not_be_tried_again_does_not_wait(ops: Ops) -> None:
    ops.ask()
    ops.wire.away = True
    ops.turn()
    assert (ops.work.state, ops.work.result["code"]) == (WorkState.FAILED, "unreachable")


@pytest.mark.parametrize("policy", [{"retries": 1}, {"on_lost": "retry"}], ids=str)
def test_what_had_begun_is_waited_for_beyond_the_time_to_begin_it(ops: Ops, policy: dict[str, object]) -> None:
    ops.ask(**policy)
    ops.wire.host.answers[DEED] = cut if "on_lost" in policy else Completed(1)
    ops.turn()
    ops.wire.away = True
    ops.clock.sleep(EXPIRES_SECONDS + 1)
    for _ in range(3):
        ops.turn()
    assert ops.work.state is WorkState.RETRYING
    ops.wire.away = False
    ops.wire.host.answers[DEED] = Completed(0)
    ops.turn()
    assert (ops.work.state, ops.done) == (WorkState.SUCCEEDED, 2)


def test_what_had_begun_and_may_not_be_repeated_ends_as_lost_once_its_host_is_back(ops: Ops) -> None:
    ops.ask(retries=2)
    ops.wire.host.answers[DEED] = cut
    ops.turn()
    ops.wire.away = True
    ops.turn()
    ops.wire.away = False
    ops.turn()
    assert (ops.work.state, ops.work.result["code"], ops.done) == (WorkState.FAILED, "run-lost", 1)
