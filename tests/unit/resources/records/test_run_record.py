"""What a host does with a run that is delivered: once, whatever happens on the way."""

from __future__ import annotations

import pytest

from reconciler.resources.protocol import RunRequest
from reconciler.resources.records.run_record import RunRecord, Verdict, judge, started
from reconciler.resources.values import replace

FRESH = RunRecord()


def request(
    issue: int = 0, on_lost: str = "fail", retries: int = 0, *, late: bool = False, token: int = 0
) -> RunRequest:
    return RunRequest("f", "web-1", "01J", issue, "backup", (), token, on_lost=on_lost, retries=retries, late=late)


def record(state: str, tries: int = 1, lost: int = 0, issue: int = 0) -> RunRecord:
    return RunRecord(issue, state, tries, lost, step=2, boot="boot-1")


@pytest.mark.parametrize(
    ("known", "asked", "verdict"),
    [
        (FRESH, request(), Verdict.START),
        (FRESH, request(late=True), Verdict.LATE),
        (record("succeeded"), request(), Verdict.KNOWN),
        (record("cancelled"), request(retries=5), Verdict.KNOWN),
        (record("failed"), request(), Verdict.KNOWN),
        (record("failed"), request(retries=1), Verdict.START),
        (record("failed"), request(retries=1, late=True), Verdict.START),
        (record("failed", tries=2), request(retries=1), Verdict.KNOWN),
        (record("running"), request(), Verdict.LOST),
        (record("running"), request(on_lost="retry"), Verdict.START),
        (record("running", lost=2), request(on_lost="retry"), Verdict.LOST),
        (record("succeeded"), request(issue=1), Verdict.START),
        (record("succeeded"), request(issue=1, late=True), Verdict.LATE),
        (record("failed", issue=2), request(issue=1), Verdict.REPLAYED),
        (record("rebooting"), request(), Verdict.AWAIT),
    ],
)
def test_a_delivery_is_judged_by_what_the_host_remembers(known: RunRecord, asked: RunRequest, verdict: Verdict) -> None:
    assert judge(known, asked, "boot-1") is verdict


@pytest.mark.parametrize("state", ["running", "failed", "succeeded", "rebooting"])
def test_an_executor_that_was_overtaken_does_nothing_more(state: str) -> None:
    asked = request(on_lost="retry", retries=3, token=7)
    known = started(record(state), request(on_lost="retry", retries=3, token=8))
    assert judge(known, asked, "boot-2") is Verdict.STALE


@pytest.mark.parametrize("state", ["", "running", "failed", "rebooting"])
def test_what_was_cancelled_is_only_ended(state: str) -> None:
    asked = replace(request(on_lost="retry", retries=3), withdrawn=True)
    assert judge(record(state), asked, "boot-2") is Verdict.WITHDRAWN


def test_a_host_that_is_back_goes_on_where_it_was() -> None:
    assert judge(record("rebooting"), request(), "boot-2") is Verdict.CONTINUE
    assert started(record("rebooting"), request()).step == 2


def test_a_lost_executor_is_no_try_and_a_failure_is() -> None:
    assert (started(record("running"), request()).tries, started(record("running"), request()).lost) == (1, 1)
    assert (started(record("failed"), request()).tries, started(record("failed"), request()).step) == (2, 0)


def test_asking_again_begins_the_count_anew() -> None:
    assert started(record("failed", tries=4, lost=2), request(issue=1)) == RunRecord(1, "running", tries=1)


@pytest.mark.parametrize("on_lost", ["fail", "retry"])
@pytest.mark.parametrize("retries", [0, 3])
def test_no_order_of_deliveries_and_deaths_makes_it_run_for_ever(on_lost: str, retries: int) -> None:
    known, asked, begun = FRESH, request(on_lost=on_lost, retries=retries), 0
    for end in ["running", "failed"] * 10:
        if judge(known, asked, "boot-1") is Verdict.START:
            begun += 1
            known = started(known, asked)
            known = RunRecord(known.issue, end, known.tries, known.lost)
    assert begun <= 1 + retries + 2
