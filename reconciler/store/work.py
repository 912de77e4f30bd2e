"""Work: converge marks and runs. Enqueued by controllers and people, claimed and finished by executors.

An id stays in its host's queue until it is finished; a lease key beside it hides it while someone works on it. So a
lease that runs out simply shows the work again, and cancelling is taking the id out.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from reconciler.clock import milliseconds
from reconciler.errors import Problem, Refused
from reconciler.model.work import RUN, Claim, Lane, Output, Work, WorkState, mark_of
from reconciler.resources.values import dataclass, field
from reconciler.store.keys import Keys
from reconciler.store.link import Command, Link, call, compact, fields, odd_slot, passed, text
from reconciler.store.reading import Reading, instant, json_map, number

RECORD_SECONDS = 30 * 86_400
"""How long the record of a finished run is kept."""

POOL = "ops"
"""The executors of the ops server. An agent is a pool of one, whose hint stands in its host's slot."""

LONGEST_WAIT_SECONDS = 2.0
HINTS_AT_ONCE = 100
_FINISHES = 100
"""Pieces of work of a host that one step ends."""
_HINT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Finish:
    """How a claim ended."""

    claim: Claim
    state: WorkState
    result: Mapping[str, Any] = field(default_factory=dict)
    retry_at: datetime | None = None
    """When to try again; only with `WorkState.RETRYING`."""
    begun: bool = False
    """It was put off although it has begun, and may still run."""


class WorkQueue:
    """`Store.work`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys

    def enqueue(self, items: Sequence[Work], *, agents: Container[str] = (), term: int = 0) -> int:
        """Make work due and wake who does it; how many items were not due before.

        Args:
            items: a run with a known id is not enqueued again; a converge mark coalesces, and one whose work is in
                flight is due again afterwards.
            agents: hosts whose own agent works on them.
            term: of the asking controller; 0 for a person.

        Raises:
            Refused: some hosts hold a higher term, or what we do not write; the others have their work.
        """
        hosts = sorted({item.host for item in items if item.kind == RUN})
        if hosts:  # one that nothing was written of yet
            self._link.send("SADD", self._keys.control + "hosts", *hosts)
        replies = self._reading.ask_all([self._enqueue_command(item, term) for item in items])
        refused: list[Problem] = []
        urgency: dict[str, int] = {}
        for item, reply in zip(items, replies, strict=True):
            if reply is None:
                refused.append(odd_slot(item.host))
            elif isinstance(reply, bytes):
                refused.append(passed(reply, item.host, term))
            elif reply:
                urgency[item.host] = min(item.priority, urgency.get(item.host, item.priority))
        self._wake(urgency, agents)
        if refused:
            raise Refused(refused)
        return sum(replies)

    def claim(
        self,
        host: str,
        *,
        holder: str,
        nonce: str,
        limit: int = 1,
        lease_seconds: float = 30.0,
        lane: Lane = Lane.MAIN,
        kind: str = "",
    ) -> Sequence[Claim]:
        """Lease the most urgent work of a host. The same nonce gets the same claims again."""
        return self.claim_many(
            [host], holder=holder, nonce=nonce, limit=limit, lease_seconds=lease_seconds, lane=lane, kind=kind
        )

    def claim_many(
        self,
        hosts: Sequence[str],
        *,
        holder: str,
        nonce: str,
        limit: int = 1,
        lease_seconds: float = 30.0,
        lane: Lane = Lane.MAIN,
        kind: str = "",
    ) -> Sequence[Claim]:
        """Lease up to `limit` pieces of work of each host, in one batch. One that cannot be read is left to run out.

        Args:
            hosts: whose work.
            holder: the name of the claimant, for people.
            nonce: the same one gets the same claims again.
            limit: how many of each host.
            lease_seconds: how long they are ours without a renewal.
            lane: of which lane.
            kind: converge or run alone, as far as nothing of the other kind stands before it; empty: any. Of runs in
                the main lane only the first one of the lane.
        """
        options = (holder, nonce, limit, int(lease_seconds * 1000), RECORD_SECONDS, lane.value, kind)
        commands = [call("work_claim", self._keys.host(host), *options) for host in hosts]
        replies = self._reading.ask_all(commands)
        return [
            claim
            for host, reply in zip(hosts, replies, strict=True)
            for claim in self._reading.records(self._keys.host(host) + "work", reply or (), partial(_claim, host))
        ]

    def start(self, claim: Claim) -> bool:
        """Say that the work begins. False: the claim is stale, do nothing."""
        return bool(self._link.send(*self._on_claim("work_start", claim)))

    def renew(self, claim: Claim, seconds: float = 30.0) -> bool:
        """Hold the work for longer. False: it was cancelled or is someone else's now, stop."""
        return bool(self._link.send(*self._on_claim("work_renew", claim, int(seconds * 1000))))

    def finish(
        self,
        claim: Claim,
        state: WorkState,
        result: Mapping[str, Any] | None = None,
        *,
        retry_at: datetime | None = None,
        begun: bool = False,
    ) -> bool:
        """End the work, or put it off. False: the claim is stale, nothing was written."""
        return self.finish_many([Finish(claim, state, result or {}, retry_at, begun)])[0]

    def finish_many(self, finishes: Sequence[Finish]) -> Sequence[bool]:
        """End many pieces of work in one batch, one step for each host; per piece, whether its claim was good."""
        by_host: dict[str, list[int]] = {}
        for at, finish in enumerate(finishes):
            by_host.setdefault(finish.claim.work.host, []).append(at)
        steps = [at[first : first + _FINISHES] for at in by_host.values() for first in range(0, len(at), _FINISHES)]
        replies = self._link.send_all([self._finish_command([finishes[at] for at in step]) for step in steps])
        good = dict(zip(chain.from_iterable(steps), chain.from_iterable(replies), strict=True))
        return [bool(good[at]) for at in range(len(finishes))]

    def let_go(self, claim: Claim, why: Mapping[str, Any], *, begun: bool = False, seconds: float = 0.0) -> bool:
        """Give a run back; it keeps its place. False: the claim is stale, nothing was written.

        Args:
            claim: what makes it ours.
            why: stands as its result, for people.
            begun: it may still run.
            seconds: for that long nobody is given it.
        """
        pause = int(seconds * 1000)
        return bool(self._link.send(*self._on_claim("work_let_go", claim, compact(why), int(begun), pause)))

    def cancel(self, host: str, work_id: str, *, reason: str = "") -> bool:
        """Cancel in any state that is not finished. False: there was nothing to cancel."""
        return self._withdraw(host, work_id, WorkState.CANCELLED, reason)

    def supersede(self, host: str, work_id: str, *, reason: str = "") -> bool:
        """Withdraw because something newer took its place. False: it was finished already."""
        return self._withdraw(host, work_id, WorkState.SUPERSEDED, reason)

    def retry(
        self, host: str, work_id: str, args: Mapping[str, Any] | None = None, *, agents: Container[str] = ()
    ) -> bool:
        """Make finished work, or a waiting retry, due now; what succeeded is not run twice (False).

        Args:
            host: whose work.
            work_id: its id.
            args: what stands in the record from now on; None: the same as before.
            agents: hosts that work on themselves.
        """
        given = compact(args) if args is not None else ""
        if not self._link.send(*call("work_retry", self._keys.host(host), work_id, given)):
            return False
        self.wake(host, agents=agents)
        return True

    def grant(self, host: str, work_id: str, *, agents: Container[str] = ()) -> bool:
        """Let work go on that waited for its named lock. False: it does not wait (any more)."""
        if not self._reading.ask(*call("work_grant", self._keys.host(host), work_id)):
            return False
        self.wake(host, agents=agents)
        return True

    def wake(self, *hosts: str, agents: Container[str] = ()) -> None:
        """Hint that hosts have work."""
        self._wake(dict.fromkeys(hosts, 0), agents)

    def add_output(self, claim: Claim, text: str = "") -> bool:
        """Keep what claimed work printed. False: it was cancelled or is someone else's now, stop."""
        return bool(self._link.send(*self._on_claim("work_output", claim, text), repeatable=not text))

    def output(self, host: str, work_id: str, start_bytes: int = 0) -> Output:
        """What work printed from there on, as far as it is kept."""
        slot = self._keys.host(host)
        total, kept = self._reading.ask_all(
            [("HGET", f"{slot}work:{work_id}", "output"), ("GET", f"{slot}output:{work_id}")]
        )
        end = self._reading.record(f"{slot}work:{work_id}", partial(number, total)) or 0
        new = max(end - start_bytes, 0)
        return Output((kept or b"")[-new:].decode(errors="replace") if new else "", max(end, start_bytes))

    def find(self, work_id: str) -> Sequence[Work]:
        """The records with this id, of every host that has one, in name order."""
        found = (self.get(host, work_id) for host in self._holders(work_id))
        return [work for work in found if work]

    def runs_like(self, part: str, host: str | None = None) -> Sequence[str]:
        """The ids of runs that begin or end so, of one host or of all, in the order in which they were made.

        Upper and lower case are alike.
        """
        part = part.upper()
        hosts = [host] if host is not None else self._hosts()
        ids = {id_ for _, id_ in self._listed(hosts) if not id_.startswith(mark_of(""))}
        return sorted(id_ for id_ in ids if id_.upper().startswith(part) or id_.upper().endswith(part))

    def _holders(self, work_id: str) -> Sequence[str]:
        hosts = self._hosts()
        replies = self._reading.ask_all([("EXISTS", f"{self._keys.host(host)}work:{work_id}") for host in hosts])
        return [host for host, there in zip(hosts, replies, strict=True) if there]

    def ready(self, *, agent: str = "", wait_seconds: float = 0.0) -> Sequence[str]:
        """Hosts that were given work, the most urgent first. Only a hint: sweep all hosts now and then as well.

        Args:
            agent: the host whose agent asks; empty: an executor of the ops server.
            wait_seconds: how long to wait for a hint where there is none, 2 s at most.
        """
        key = self._hint_key(agent)
        if wait_seconds <= 0:
            reply = self._link.send("ZPOPMIN", key, HINTS_AT_ONCE, repeatable=False)
            return self._reading.records(key, reply[::2], bytes.decode)
        wait = min(wait_seconds, LONGEST_WAIT_SECONDS)
        found = self._link.send("BZMPOP", wait, 1, key, "MIN", "COUNT", HINTS_AT_ONCE, repeatable=False)
        return self._reading.records(key, (name for name, _ in found[1]), bytes.decode) if found else []

    def get(self, host: str, work_id: str) -> Work | None:
        """The record of a piece of work; a converge mark has one only until it is finished."""
        key = f"{self._keys.host(host)}work:{work_id}"
        found = self._reading.ask("HGETALL", key)
        return self._reading.record(key, partial(_work, host, work_id, found)) if found else None

    def states(self, pairs: Sequence[tuple[str, str]]) -> Sequence[WorkState | None]:
        """The state of each (host, id); None: there is no such work, or no more."""
        keys = [f"{self._keys.host(host)}work:{work_id}" for host, work_id in pairs]
        replies = self._reading.ask_all([("HGET", key, "state") for key in keys])
        return [
            self._reading.record(key, partial(_state, reply)) if reply else None
            for key, reply in zip(keys, replies, strict=True)
        ]

    def list(self, host: str | None = None, states: Collection[WorkState] = ()) -> Sequence[Work]:
        """All records of one host or of all, the oldest first; no states means all of them."""
        names = self._listed([host] if host is not None else self._hosts())
        keys = [f"{self._keys.host(name)}work:{id_}" for name, id_ in names]
        records = self._reading.ask_all([("HGETALL", key) for key in keys])
        works = [
            self._reading.record(key, partial(_work, name, id_, record))
            for (name, id_), key, record in zip(names, keys, records, strict=True)
            if record  # its time to live has ended
        ]
        asked = [work for work in works if work and (not states or work.state in states)]
        return sorted(asked, key=lambda work: (work.created_at.timestamp() if work.created_at else 0.0, work.id))

    def _listed(self, hosts: Sequence[str]) -> Collection[tuple[str, str]]:
        """(host, id) of all work of these hosts; what was withdrawn and has not been ended stands in two indexes."""
        keys = [(host, self._keys.host(host) + index) for host in hosts for index in _INDEXES]
        indexes = self._reading.ask_all([("ZRANGE", key, 0, -1) for _, key in keys])
        return dict.fromkeys(
            (host, id_)
            for (host, key), ids in zip(keys, indexes, strict=True)
            for id_ in self._reading.records(key, ids or (), bytes.decode)
        )

    def _hosts(self) -> Sequence[str]:
        key = self._keys.control + "hosts"
        return sorted(self._reading.records(key, self._reading.ask("SMEMBERS", key) or (), bytes.decode))

    def _enqueue_command(self, item: Work, term: int) -> Command:
        slot = self._keys.host(item.host)
        due = (item.priority, item.reason, item.lane.value, item.lock)
        return call("work_enqueue", slot, term, item.id, item.kind, compact(item.args), *due)

    def _finish_command(self, finishes: Sequence[Finish]) -> Command:
        """Ends pieces of work of one host."""
        slot = self._keys.host(finishes[0].claim.work.host)
        return call("work_finish", slot, RECORD_SECONDS, *(word for finish in finishes for word in _ending(finish)))

    def _on_claim(self, function: str, claim: Claim, *arguments: str | float) -> Command:
        slot = self._keys.host(claim.work.host)
        return call(function, slot, claim.work.id, claim.attempt, claim.token, *arguments)

    def _withdraw(self, host: str, work_id: str, state: WorkState, reason: str) -> bool:
        command = call("work_withdraw", self._keys.host(host), work_id, state.value, reason, RECORD_SECONDS)
        return self._link.send(*command) is not None

    def _wake(self, urgency: Mapping[str, int], agents: Container[str]) -> None:
        """Hint at hosts with work. Where the key holds something else, that is told, and left as it is."""
        hints: dict[str, list[str | float]] = {}
        for host, priority in urgency.items():
            hints.setdefault(self._hint_key(host if host in agents else ""), []).extend((priority, host))
        replies = self._reading.ask_all([("ZADD", key, "LT", *words) for key, words in hints.items()])
        hinted = [key for key, reply in zip(hints, replies, strict=True) if reply is not None]
        self._link.send_all([("EXPIRE", key, _HINT_SECONDS) for key in hinted])

    def _hint_key(self, agent: str) -> str:
        return self._keys.host(agent) + "ready" if agent else self._keys.ready(POOL)


_INDEXES = ("queue", "side", "held", "delayed", "finished")


def _ending(finish: Finish) -> tuple[str | int, ...]:
    claim = finish.claim
    again = milliseconds(finish.retry_at) if finish.retry_at else 0
    known = claim.work.id, claim.attempt, claim.token
    return *known, finish.state.value, compact(finish.result), again, int(finish.begun)


def _claim(host: str, reply: Sequence[bytes | None]) -> Claim:
    id_, kind, args, priority, attempt, deliveries, token, reason, created, started, state = map(text, reply)
    work = Work(
        id=id_,
        host=host,
        kind=kind,
        args=json_map(args),
        state=WorkState(state),
        priority=number(priority),
        attempt=number(attempt),
        deliveries=number(deliveries),
        token=number(token),
        reason=reason,
        created_at=instant(created),
        started_at=instant(started),
    )
    return Claim(work, work.attempt, work.token)


def _state(reply: bytes) -> WorkState:
    return WorkState(text(reply))


def _work(host: str, work_id: str, reply: Sequence[bytes]) -> Work:
    record = fields(reply)
    return Work(
        id=work_id,
        host=host,
        kind=record["kind"],
        args=json_map(record["args"]),
        state=WorkState(record["state"]),
        priority=number(record["priority"]),
        attempt=number(record.get("attempt")),
        deliveries=number(record.get("deliveries")),
        token=number(record.get("token")),
        reason=record["reason"],
        result=json_map(record.get("result", "{}")),
        created_at=instant(record.get("created_at")),
        started_at=instant(record.get("started_at")),
        finished_at=instant(record.get("finished_at")),
        lane=Lane(record.get("lane", Lane.MAIN.value)),
        lock=record.get("lock", ""),
        output_bytes=number(record.get("output")),
        ending="ending" in record,
    )
