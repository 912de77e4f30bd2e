"""For how long a followed repository counts as out of reach."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from reconciler.errors import Unavailable
from reconciler.loops.watching.following import FollowedBranch
from reconciler.source.mirror import Mirror
from tests.fakes.clock import FakeClock


class Repository:
    """What a mirror gives, as long as it is there."""

    neighbour = None
    rewritten_from = ""
    there = True
    fetched = 0
    known: str | None = None

    def fetch(self) -> str:
        self.fetched += 1
        if not self.there:
            raise Unavailable.of("git-failed", "away")
        return "1a2b3c4"

    def last(self) -> str | None:
        return self.known

    def tree(self, revision: str) -> str:
        return f"tree of {revision}"


class Silent:
    def warning(self, event: str, **values: Any) -> None: ...


def followed(repository: Repository, clock: FakeClock, interval_seconds: float) -> FollowedBranch:
    return FollowedBranch(cast("Mirror", repository), interval_seconds, clock, cast("Any", Silent()), threading.Event())


def test_a_repository_that_is_seldom_fetched_is_not_out_of_reach() -> None:
    clock = FakeClock()
    branch = followed(Repository(), clock, 3600)
    branch.tree()
    clock.seconds += 3500
    assert branch.age_seconds == 0


def test_one_that_is_away_is_so_since_it_was_last_reached_and_its_last_revision_stays() -> None:
    clock, repository = FakeClock(), Repository()
    branch = followed(repository, clock, 60)
    branch.tree()
    repository.there = False
    for _ in range(10):
        clock.seconds += 60
        assert str(branch.tree()) == "tree of 1a2b3c4"
    assert branch.age_seconds == 600
    repository.there = True
    clock.seconds += 60
    branch.tree()
    assert branch.age_seconds == 0


def test_one_that_was_never_reached_gives_nothing() -> None:
    repository = Repository()
    repository.there = False
    with pytest.raises(Unavailable):
        followed(repository, FakeClock(), 60).tree()


def test_what_a_process_before_had_fetched_is_gone_on_with_and_out_of_reach_since_we_began() -> None:
    clock, repository = FakeClock(), Repository()
    repository.there, repository.known = False, "0f9e8d7"
    branch = followed(repository, clock, 60)
    clock.seconds += 5
    assert str(branch.tree()) == "tree of 0f9e8d7"
    assert branch.age_seconds == 5


def test_who_stands_by_fetches_as_often_and_once_more_when_it_is_his_turn() -> None:
    clock, repository = FakeClock(), Repository()
    branch = followed(repository, clock, 60)
    for _ in range(4):
        branch.refresh()
        clock.seconds += 30
    assert repository.fetched == 2
    branch.refresh()
    branch.doubt()
    branch.tree()
    assert repository.fetched == 4
