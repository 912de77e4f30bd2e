"""Runs that are cancelled while their host is out of reach: they end at once, and never begin when it is back."""

from __future__ import annotations

from reconciler.model.work import Claim, WorkState
from reconciler.resources.machine.system import Completed
from tests.integration.running.conftest import DEED, Ops, cut
from tests.waiting import until


def test_one_that_waits_for_its_host_is_not_delivered_any_more(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.away = True
    ops.turn()
    ops.cancel()
    assert (ops.work.state, ops.work.ending) == (WorkState.CANCELLED, False)
    ops.wire.away = False
    assert ops.turn() is None
    assert ops.done == 0


def test_one_that_is_cancelled_while_its_host_is_connected_to_does_not_begin(ops: Ops) -> None:
    ops.ask()
    claim = ops.claim()
    assert claim
    live = ops.live(claim)

    def cancelled() -> None:
        ops.cancel()
        live.beat()

    ops.wire.on_the_way = cancelled
    ops.executor.perform(live)
    assert (ops.work.state, ops.work.ending, ops.done) == (WorkState.CANCELLED, False, 0)


def test_one_that_is_cancelled_while_its_host_is_tried_in_vain_holds_nothing_up(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.away, ops.wire.on_the_way = True, ops.cancel
    ops.turn()
    assert (ops.work.state, ops.work.ending) == (WorkState.CANCELLED, False)
    assert ops.claim() is None


def test_one_that_had_begun_is_ended_on_its_host_once_that_is_back(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.host.answers[DEED] = cut
    ops.turn()
    ops.wire.away = True
    ops.turn()
    ops.cancel()
    assert (ops.work.state, ops.work.ending) == (WorkState.CANCELLED, True)
    ops.wire.away = False
    told = ops.turn()
    assert told is not None
    assert (told.status, ops.work.state, ops.work.ending, ops.done) == ("cancelled", WorkState.CANCELLED, False, 1)


def test_one_that_had_begun_keeps_its_turn_for_three_leases_while_its_host_is_away(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.host.answers[DEED] = cut
    ops.turn()
    ops.cancel()
    ops.wire.away = True
    given: list[Claim] = []

    def ended() -> bool:
        claim = ops.claim(lease_seconds=0.05)
        if claim:
            given.append(claim)
            ops.perform(claim)
        return not ops.work.ending

    until(ended, "the end of its leases")
    assert len(given) == 2  # beside the one of who had it when the connection was cut
    assert ops.work.state is WorkState.CANCELLED


def test_a_failed_try_leaves_nothing_to_be_ended(ops: Ops) -> None:
    ops.ask(retries=1)
    ops.wire.host.answers[DEED] = Completed(1)
    ops.turn()
    ops.cancel()
    assert not ops.work.ending
    assert ops.turn() is None
