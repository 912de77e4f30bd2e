"""What a host knows better than Redis: later runs, and how a trial ended."""

from __future__ import annotations

import pytest

from reconciler.loops.hosts.ledger_view import knows_better, observed_app
from reconciler.model.observed import AppStatus, ObservedApp
from reconciler.resources.records.ledger import AppRecord


def told(status: AppStatus, generation: int = 5) -> ObservedApp:
    return ObservedApp(generation, "new", status, revision="main")


@pytest.mark.parametrize(
    ("record", "known", "better"),
    [
        ("converged", None, True),
        ("converged", told(AppStatus.FAILED, 4), True),
        ("converged", told(AppStatus.REPLAN, 6), False),
        ("converged", told(AppStatus.WAITING), False),
        ("converged", told(AppStatus.CONFIRMING), True),
        ("unconfirmed", told(AppStatus.CONFIRMING), True),
        ("unconfirmed", told(AppStatus.CONVERGED), True),
        ("unconfirmed", told(AppStatus.UNCONFIRMED), False),
        ("confirming", told(AppStatus.CONFIRMING), False),
    ],
)
def test_the_host_is_believed_where_it_knows_more(record: str, known: ObservedApp | None, *, better: bool) -> None:
    assert knows_better(AppRecord(generation=5, status=record), known) is better


def test_what_was_taken_back_is_told_with_the_digest_that_was_tried() -> None:
    record = AppRecord(generation=5, digest="old", status="unconfirmed", unconfirmed="new", error="out of touch")
    seen = observed_app(record, told(AppStatus.CONFIRMING))
    assert (seen.status, seen.digest, seen.error) == (AppStatus.UNCONFIRMED, "new", "out of touch")
