"""Each rule of the audit passes what is right, and catches a fabricated trail that breaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from reconciler.model.work import WorkState
from tests.chaos.audit import audit, trail
from tests.chaos.evidence import Act, Asked, Evidence, Known
from tests.chaos.fleet import Job

ONCE = Job("once")
AGAIN = Job("again", on_lost="retry")
TRIED = Job("tried", retries=1)
FIRST, SECOND = "11.1000", "22.2000"
"""Two executors."""


def act(at: str, process: int = 7, token: int = 5, executor: str = FIRST, id_: str = "r1") -> Act:
    return Act("web-1", id_, at, process, executor, executor, token, exclusive=False)


def both(process: int = 7, token: int = 5, executor: str = FIRST, id_: str = "r1") -> list[Act]:
    return [act(at, process, token, executor, id_) for at in ("begin", "end")]


def evidence(
    acts: Sequence[Act] = (),
    *,
    job: Job = ONCE,
    state: WorkState = WorkState.SUCCEEDED,
    remembered: str = "succeeded",
    locked: Mapping[str, Sequence[Act]] | None = None,
) -> Evidence:
    """One run on one host."""
    return Evidence(
        [Asked("web-1", "r1", job)],
        [Known("web-1", "r1", state, began=True)],
        {"web-1": acts},
        locked or {},
        {("web-1", "r1"): remembered},
    )


GOOD = evidence(both())


def rules(found: Evidence) -> set[str]:
    return {violation.rule for violation in audit(found)}


@pytest.mark.parametrize(
    "found",
    [
        GOOD,
        evidence([act("begin"), *both(8, 6, SECOND)], job=AGAIN),
        evidence([*both(), *(replace(each, tries=2) for each in both(8, 6))], job=TRIED),
        evidence([act("begin")], state=WorkState.FAILED, remembered="failed"),
        evidence([], state=WorkState.DEAD, remembered=""),
        evidence([*both(7, 6, id_="r2"), *both(8, 5)]),
    ],
    ids=["once", "lost and repeated", "tried twice", "lost", "never begun", "side by side"],
)
def test_what_is_right_passes(found: Evidence) -> None:
    assert rules(replace(found, acts={"web-1": [each for each in found.acts["web-1"] if each.id == "r1"]})) == set()


def test_a_run_that_the_store_forgot_is_lost() -> None:
    assert rules(replace(GOOD, known=[])) == {"lost"}


def test_a_run_that_stands_there_twice_is_doubled_and_one_that_nobody_asked_for_is_told() -> None:
    assert rules(replace(GOOD, known=[*GOOD.known, *GOOD.known])) == {"doubled"}
    assert rules(replace(GOOD, known=[*GOOD.known, Known("web-1", "r9", WorkState.FAILED)])) == {"unasked"}


@pytest.mark.parametrize("state", [WorkState.QUEUED, WorkState.LEASED, WorkState.RUNNING, WorkState.RETRYING])
def test_a_run_that_never_ends_is_told(state: WorkState) -> None:
    assert rules(evidence(both(), state=state)) == {"unfinished"}


@pytest.mark.parametrize("listed", [(), ("queue", "finished"), ("held",)])
def test_a_run_that_ended_stands_in_one_list(listed: tuple[str, ...]) -> None:
    assert rules(replace(GOOD, known=[replace(GOOD.known[0], listed=listed)])) == {"listed"}


@pytest.mark.parametrize("acts", [[], [act("begin")]])
def test_a_success_that_was_not_done_to_its_end_is_told(acts: list[Act]) -> None:
    assert rules(evidence(acts)) == {"not-done"}


def test_store_and_host_tell_the_same_end() -> None:
    assert rules(evidence(both(), state=WorkState.FAILED)) == {"belied"}
    assert rules(evidence(both(), remembered="running")) == {"belied"}


def test_a_run_that_may_be_done_once_is_not_done_again() -> None:
    assert rules(evidence([*both(), *both(8, 6)])) == {"too-often", "repeated"}


def test_retries_and_losses_have_an_end() -> None:
    thrice = [each for number in range(4) for each in both(number, number)]
    assert "too-often" in rules(evidence(thrice, job=AGAIN))
    assert rules(evidence([*both(), *both(8, 6)], job=TRIED)) == {"repeated"}


def test_nobody_acts_after_someone_newer_did() -> None:
    stale = [act("begin", 7, 5), *both(8, 6, SECOND), act("end", 7, 5)]
    assert "stale" in rules(evidence(stale, job=AGAIN))
    of_host = [replace(each, exclusive=True) for each in (*both(7, 6, id_="r0"), *both(8, 5))]
    assert "stale" in rules(evidence(of_host))


def test_nobody_acts_under_a_lock_that_another_one_holds() -> None:
    assert rules(evidence([replace(each, holder=SECOND) for each in both()])) == {"not-holder"}


def test_runs_that_need_the_host_do_not_overlap() -> None:
    of_host = [replace(each, exclusive=True) for each in (act("begin"), act("begin", 8, id_="r0"), act("end"))]
    assert rules(evidence(of_host)) == {"overlap"}


def test_runs_that_share_a_lock_do_not_overlap_also_on_two_hosts() -> None:
    other = replace(act("begin", 7, id_="r2"), host="web-2", executor=SECOND)
    assert rules(evidence(both(), locked={"alpha": [act("begin"), other, act("end")]})) == {"overlap"}
    assert rules(evidence(both(), locked={"alpha": [*both(), other]})) == set()


@pytest.mark.parametrize(("priority", "told"), [(5, {"overtaken"}), (4, set())], ids=["same priority", "more urgent"])
def test_runs_that_need_the_host_begin_in_the_order_in_which_they_were_asked_for(priority: int, told: set[str]) -> None:
    change = Job("change", changes=True)
    asked = [Asked("web-1", "r1", change), Asked("web-1", "r2", change, priority=priority)]
    known = [Known("web-1", id_, WorkState.SUCCEEDED, began=True) for id_ in ("r1", "r2")]
    acts = [replace(each, exclusive=True) for each in (*both(8, 5, id_="r2"), *both(7, 6))]
    found = Evidence(asked, known, {"web-1": acts}, {}, {})
    assert rules(found) == told
    beside = [replace(each, exclusive=False) for each in acts]
    assert rules(replace(found, acts={"web-1": beside})) == set()


def test_runs_that_share_a_lock_have_it_in_the_order_in_which_they_were_asked_for() -> None:
    asked = [Asked("web-2", "r2", ONCE), *GOOD.asked]
    known = [*GOOD.known, Known("web-2", "r2", WorkState.FAILED)]
    other = [replace(each, host="web-2") for each in both(7, id_="r2")]
    found = replace(GOOD, asked=asked, known=known, locked={"alpha": [*both(), *other]})
    assert rules(found) == {"overtaken"}
    assert rules(replace(found, locked={"alpha": [*other, *both()]})) == set()


def test_what_was_cancelled_in_time_never_acts() -> None:
    asked = [Asked("web-1", "r1", ONCE, cancelled=True)]
    known = [Known("web-1", "r1", WorkState.CANCELLED)]
    assert rules(replace(GOOD, asked=asked, known=known)) == {"cancelled"}
    assert rules(replace(GOOD, asked=asked, known=known, acts={})) == set()
    assert rules(replace(GOOD, asked=asked, known=[replace(known[0], began=True)])) == set()


def test_what_was_cancelled_stays_cancelled_and_nothing_else_is() -> None:
    assert rules(replace(GOOD, asked=[Asked("web-1", "r1", ONCE, cancelled=True)])) == {"cancelled"}
    assert rules(evidence([], state=WorkState.CANCELLED, remembered="")) == {"cancelled"}


def test_keys_that_stay_are_told() -> None:
    assert rules(replace(GOOD, left=["rc:{web-1}:lease"])) == {"left"}
    assert rules(replace(GOOD, endless=["rc:{web-1}:work:r1"])) == {"endless"}


def test_a_violation_comes_with_all_that_is_known_of_its_run() -> None:
    found = evidence([act("begin"), act("begin", 9, id_="r2")])
    (violation,) = audit(found)
    told = "\n".join(trail(found, violation))
    assert ("once" in told, "process=7" in told, "process=9" in told) == (True, True, False)
