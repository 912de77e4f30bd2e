"""The life of work against a model of it: hypothesis plays enqueuers, executors, people and time in any order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from reconciler.model.work import CONVERGE, RUN, Claim, Work, WorkState
from reconciler.store import Store
from tests.integration.store.conftest import Inside

HOST = "web-1"
RUNS = [f"run-{letter}" for letter in "abcd"]
MARKS = ["converge:a"]
FAR_AWAY = datetime(2100, 1, 1, tzinfo=UTC)
PRIORITIES = st.integers(1, 3)
IN_FLIGHT = {WorkState.LEASED, WorkState.RUNNING}


@dataclass
class Entry:
    """What the model knows of one piece of work."""

    id: str
    priority: int
    order: int
    state: WorkState = WorkState.QUEUED
    attempt: int = 0
    lost: int = 0
    unbegun: int = 0
    token: int = 0
    hidden: bool = False
    """Whether its lease still runs."""
    again: int = 0
    """Priority of a mark that came while it was in flight."""
    begun: bool = False
    ending: bool = False
    """Whether it was cancelled or buried while someone had it, and nobody has ended it yet."""
    due: bool = False
    """Whether a retry's time has come."""

    @property
    def mark(self) -> bool:
        return self.id in MARKS

    def restart(self, priority: int, order: int) -> None:
        hidden = self.ending and self.hidden
        self.__init__(self.id, priority, order, hidden=hidden)  # type: ignore[misc]

    def hold(self, claim: Claim) -> bool:
        return (self.attempt, self.token) == (claim.attempt, claim.token)


class Life(RuleBasedStateMachine):
    """Every rule does one thing to the store and to the model, and compares the answers."""

    store: Store
    inside: Inside

    def __init__(self) -> None:
        super().__init__()
        self.inside.link.ask_primaries("FLUSHALL")
        self.known: dict[str, Entry] = {}
        self.claims: list[Claim] = []
        self.counter = 0

    def next(self) -> int:
        self.counter += 1
        return self.counter

    @rule(work_id=st.sampled_from(MARKS + RUNS), priority=PRIORITIES)
    def enqueue(self, work_id: str, priority: int) -> None:
        kind = CONVERGE if work_id in MARKS else RUN
        fresh = self.store.work.enqueue([Work(work_id, HOST, kind, priority=priority)])
        entry = self.known.get(work_id)
        if entry is None:
            self.known[work_id] = Entry(work_id, priority, self.next())
            assert fresh == 1
        elif not entry.mark:
            assert fresh == 0
        elif entry.state in IN_FLIGHT:
            entry.again = priority
            assert fresh == 1
        elif entry.state is not WorkState.QUEUED:
            entry.restart(priority, self.next())
            assert fresh == 1
        else:
            assert fresh == 0
            if priority < entry.priority:
                entry.priority, entry.order = priority, self.next()

    def claimable(self) -> bool:
        return any((entry.state is WorkState.QUEUED and not entry.hidden) or entry.due for entry in self.known.values())

    @precondition(claimable)
    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        claims = self.store.work.claim(HOST, holder="ops-1", nonce=f"n{self.next()}", limit=limit)
        assert [(claim.work.id, claim.attempt) for claim in claims] == list(self.expected_claims(limit))
        for claim in claims:
            assert all(claim.token > former.token for former in self.claims)
            self.known[claim.work.id].token = claim.token
            self.claims.append(claim)

    def expected_claims(self, limit: int) -> Iterator[tuple[str, int]]:
        for entry in sorted(self.known.values(), key=lambda entry: entry.id):
            if entry.state is WorkState.RETRYING and entry.due:
                entry.state, entry.due, entry.order = WorkState.QUEUED, False, self.next()
        for entry in sorted(self.known.values(), key=lambda entry: (entry.priority, entry.order)):
            open_ = entry.state is WorkState.QUEUED or entry.state in IN_FLIGHT or entry.ending
            if limit and open_ and not entry.hidden:
                if entry.ending:
                    entry.lost += 1
                    if entry.lost == 3:
                        entry.ending, entry.token = False, 0
                        continue
                elif entry.state in IN_FLIGHT:
                    unbegun = entry.state is WorkState.LEASED and not entry.mark
                    entry.lost, entry.unbegun = entry.lost + (not unbegun), entry.unbegun + unbegun
                    if entry.lost == 3 or entry.unbegun == 20:
                        entry.state, entry.lost = WorkState.DEAD, 0
                        entry.ending = entry.begun and not entry.mark
                    if entry.state is WorkState.DEAD and not entry.ending:
                        entry.token = 0
                        continue
                else:
                    entry.attempt += 1
                entry.state = entry.state if entry.ending else WorkState.LEASED
                entry.hidden, limit = True, limit - 1
                yield entry.id, entry.attempt

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims[:-4:-1]))
        entry = self.known.get(claim.work.id)
        good = entry is not None and entry.hold(claim) and entry.state in IN_FLIGHT
        assert self.store.work.start(claim) is good
        if entry and good:
            entry.state, entry.begun = WorkState.RUNNING, True

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.claims[:-4:-1]))
        entry = self.known.get(claim.work.id)
        good = entry is not None and entry.hold(claim) and entry.state in IN_FLIGHT
        assert self.store.work.renew(claim) is good
        if entry and good:
            entry.hidden = True

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        state=st.sampled_from([WorkState.SUCCEEDED, WorkState.FAILED, WorkState.RETRYING]),
        begun=st.booleans(),
    )
    def finish(self, data: st.DataObject, state: WorkState, *, begun: bool) -> None:
        claim = data.draw(st.sampled_from(self.claims[:-4:-1]))
        entry = self.known.get(claim.work.id)
        good = entry is not None and entry.hold(claim) and not entry.ending
        assert self.store.work.finish(claim, state, retry_at=FAR_AWAY, begun=begun) is good
        if entry and entry.hold(claim) and entry.ending:
            entry.hidden = False
            if state is not WorkState.RETRYING:
                entry.ending, entry.token = False, 0
        if not entry or not good or entry.state not in IN_FLIGHT:
            return
        if entry.again:
            entry.restart(entry.again, self.next())
        elif entry.mark and state is not WorkState.RETRYING:
            del self.known[entry.id]
        else:
            entry.state, entry.hidden, entry.begun = state, False, entry.begun and begun

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), begun=st.booleans())
    def let_go(self, data: st.DataObject, *, begun: bool) -> None:
        claim = data.draw(st.sampled_from(self.claims[:-4:-1]))
        entry = self.known.get(claim.work.id)
        if claim.work.id in MARKS:
            return
        good = entry is not None and entry.hold(claim) and (entry.state in IN_FLIGHT or entry.ending)
        assert self.store.work.let_go(claim, {}, begun=begun) is good
        if entry and good:
            entry.hidden = False
        if entry and good and not entry.ending:
            entry.state, entry.begun = WorkState.QUEUED, entry.begun and begun

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        work_id = data.draw(st.sampled_from(sorted(self.known, key=lambda name: self.known[name].state.finished)))
        entry = self.known[work_id]
        open_ = not entry.state.finished
        assert self.store.work.cancel(HOST, work_id) is open_
        if not open_:
            return
        if entry.mark:
            del self.known[work_id]
        elif entry.state in IN_FLIGHT:
            entry.state, entry.ending, entry.lost = WorkState.CANCELLED, True, 0
        elif entry.begun:
            put_off = entry.state is WorkState.RETRYING
            entry.order = self.next() if put_off else entry.order
            entry.state, entry.ending, entry.lost, entry.due = WorkState.CANCELLED, True, 0, False
        else:
            entry.state, entry.token, entry.hidden = WorkState.CANCELLED, 0, False

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        work_id = data.draw(st.sampled_from(sorted(self.known)))
        entry = self.known[work_id]
        again = entry.state not in {WorkState.QUEUED, WorkState.SUCCEEDED, *IN_FLIGHT}
        assert self.store.work.retry(HOST, work_id) is again
        if again:
            entry.restart(entry.priority, self.next())

    @rule(then_claim=st.booleans())
    def time_passes(self, *, then_claim: bool) -> None:
        """Every lease runs out and every retry comes due."""
        for entry in self.known.values():
            self.inside.lease_runs_out(HOST, entry.id)
            self.inside.retry_comes_due(HOST, entry.id)
            entry.hidden, entry.due = False, entry.state is WorkState.RETRYING
        if then_claim:
            self.claim(3)

    @invariant()
    def people_see_every_state(self) -> None:
        seen = {work.id: (work.state, work.attempt) for work in self.store.work.list(HOST)}
        assert seen == {entry.id: (entry.state, entry.attempt) for entry in self.known.values()}

    def teardown(self) -> None:
        """Whatever happened before, work ends: executors that do their work leave nothing open."""
        for work_id in self.known:
            self.inside.lease_runs_out(HOST, work_id)
            self.inside.retry_comes_due(HOST, work_id)
        for round_ in range(10):
            for claim in self.store.work.claim(HOST, holder="ops-1", nonce=f"end-{round_}", limit=10):
                assert self.store.work.finish(claim, WorkState.SUCCEEDED) is not claim.work.state.finished
        assert all(work.state.finished for work in self.store.work.list(HOST))


def test_work_lives_as_the_model_says(store: Store, inside: Inside, server_kind: str) -> None:
    """The laws are searched on one server; where servers may differ, in slots and in Lua, some lives show it."""
    Life.store, Life.inside = store, inside
    lives = 60 if server_kind == "valkey" else 15
    run_state_machine_as_test(Life, settings=settings(max_examples=lives, stateful_step_count=40, deadline=None))
