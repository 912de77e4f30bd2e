"""What must hold after the storm: one pure rule a function, from the evidence to what breaks it.

A rule answers with violations, each with the run that it is about; `trail` tells all that is known of that run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.model.work import WorkState
from tests.chaos.evidence import Act, Asked, Evidence, Known


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken."""

    rule: str
    host: str
    id: str
    message: str


Rule = Callable[[Evidence], Iterator[Violation]]


def audit(evidence: Evidence) -> tuple[Violation, ...]:
    """Everything that is wrong."""
    return tuple(violation for rule in RULES for violation in rule(evidence))


def nothing_is_lost(evidence: Evidence) -> Iterator[Violation]:
    """Whatever was submitted is known, once, and nothing else is."""
    asked = Counter((each.host, each.id) for each in evidence.asked)
    known = Counter((each.host, each.id) for each in evidence.known)
    for host, id_ in asked.keys() - known.keys():
        yield Violation("lost", host, id_, "it was submitted, and the store does not know it")
    for host, id_ in known.keys() - asked.keys():
        yield Violation("unasked", host, id_, "the store knows it, and nobody asked for it")
    for (host, id_), count in known.items():
        if count > 1:
            yield Violation("doubled", host, id_, f"the store knows it {count} times")


def everything_ends(evidence: Evidence) -> Iterator[Violation]:
    """Each run is in a final state, and listed as such and nowhere else."""
    for each in evidence.known:
        if not each.state.finished:
            yield Violation("unfinished", each.host, each.id, f"it is still {each.state.value}")
        elif each.listed != ("finished",):
            yield Violation(
                "listed", each.host, each.id, f"it ended, and stands in {', '.join(each.listed) or 'nothing'}"
            )


def success_was_done(evidence: Evidence) -> Iterator[Violation]:
    """What the store calls succeeded was done to its end on the host, and the host knows it."""
    ended = {(act.host, act.id) for act in _acts(evidence) if act.at == "end"}
    for each in evidence.known:
        run = (each.host, each.id)
        if each.state is WorkState.SUCCEEDED and run not in ended:
            yield Violation("not-done", each.host, each.id, "it succeeded, says the store, and never acted to its end")
        if each.state is WorkState.FAILED and evidence.remembered.get(run) == "succeeded":
            yield Violation(
                "belied", each.host, each.id, "it failed, says the store, and the host knows that it succeeded"
            )
        if each.state is WorkState.SUCCEEDED and evidence.remembered.get(run) not in {None, "succeeded"}:
            told = evidence.remembered[run]
            yield Violation("belied", each.host, each.id, f"it succeeded, says the store; the host says: {told}")


def nothing_is_done_too_often(evidence: Evidence) -> Iterator[Violation]:
    """A run acts once; more only as its job's `retries` and `onLost` allow, each time as a try of its own."""
    jobs = {(each.host, each.id): each.job for each in evidence.asked}
    for run, acts in _by_run(evidence):
        job, begun = jobs.get(run), [act for act in acts if act.at == "begin"]
        if job is None:
            continue
        if len(begun) > job.acts_at_most:
            yield Violation("too-often", *run, f"it acted {len(begun)} times; {job.name} may {job.acts_at_most} times")
        again = 2 if job.on_lost == "retry" else 0
        for tries, count in Counter(act.tries for act in begun).items():
            if count > 1 + again:
                yield Violation(
                    "repeated", *run, f"it acted {count} times in its try {tries}, as onLost: {job.on_lost}"
                )


def no_stale_executor_acts(evidence: Evidence) -> Iterator[Violation]:
    """On a host, under one lock, tokens never go down: nobody acts once someone newer has acted there."""
    for acts in evidence.acts.values():
        newest: dict[str, Act] = {}
        for act in acts:
            lock = "" if act.exclusive else act.id
            before = newest.get(lock)
            if act.executor != act.holder:
                told = f"{act.executor} acted ({act.at}) while {act.holder} held the lock"
                yield Violation("not-holder", act.host, act.id, told)
            if before and act.token < before.token:
                told = f"token {act.token} of {act.executor} acted ({act.at}) after {before.token} of {before.executor}"
                yield Violation("stale", act.host, act.id, told)
            else:
                newest[lock] = act


def one_at_a_time(evidence: Evidence) -> Iterator[Violation]:
    """Two runs that need the host, two that share a named lock, or two tries of one run never act at the same time."""
    for acts in evidence.acts.values():
        yield from _apart("host", [act for act in acts if act.exclusive])
    for lock, acts in evidence.locked.items():
        yield from _apart(f"lock {lock}", acts)
    for _, acts in _by_run(evidence):
        yield from _apart("run", acts)


def first_in_is_first_out(evidence: Evidence) -> Iterator[Violation]:
    """Runs of one priority that need the same host, and runs that share a named lock, begin as they were asked for."""
    place = {(each.host, each.id): number for number, each in enumerate(evidence.asked)}
    lanes: defaultdict[tuple[str, int], list[Act]] = defaultdict(list)
    jobs = {(each.host, each.id): each for each in evidence.asked}
    for act in _acts(evidence):
        asked = jobs.get((act.host, act.id))
        if asked and act.exclusive and not asked.job.lock:
            lanes[act.host, asked.priority].append(act)
    for (host, priority), of_lane in lanes.items():
        yield from _in_order(f"{host} at priority {priority}", of_lane, place)
    for lock, acts in evidence.locked.items():
        yield from _in_order(f"lock {lock}", acts, place)


def the_cancelled_stay_still(evidence: Evidence) -> Iterator[Violation]:
    """What was cancelled before it began never acts; what was cancelled is told so."""
    known = {(each.host, each.id): each for each in evidence.known}
    acted = {(act.host, act.id) for act in _acts(evidence)}
    for each in evidence.asked:
        run = (each.host, each.id)
        record = known.get(run)
        if record is None:
            continue
        if each.cancelled != (record.state is WorkState.CANCELLED):
            told = "was cancelled" if each.cancelled else "was not cancelled"
            yield Violation("cancelled", *run, f"it {told}, and the store says: {record.state.value}")
        if record.state is WorkState.CANCELLED and not record.began and run in acted:
            yield Violation("cancelled", *run, "it was cancelled before it began, and it acted")


def nothing_is_left(evidence: Evidence) -> Iterator[Violation]:
    """No queue, lease or lock outlives the runs, and every key expires or is meant to stay."""
    for key in evidence.left:
        yield Violation("left", "", "", f"{key} is still there")
    for key in evidence.endless:
        yield Violation("endless", "", "", f"{key} never expires")


RULES: tuple[Rule, ...] = (
    nothing_is_lost,
    everything_ends,
    success_was_done,
    nothing_is_done_too_often,
    no_stale_executor_acts,
    one_at_a_time,
    first_in_is_first_out,
    the_cancelled_stay_still,
    nothing_is_left,
)


def trail(evidence: Evidence, violation: Violation) -> Sequence[str]:
    """All that is known of the run that a violation is about."""
    run = (violation.host, violation.id)
    asked: Iterable[Asked] = (each for each in evidence.asked if (each.host, each.id) == run)
    known: Iterable[Known] = (each for each in evidence.known if (each.host, each.id) == run)
    acts = (act for act in evidence.acts.get(violation.host, ()) if act.id == violation.id)
    return [*map(str, asked), *map(str, known), *map(str, acts)]


def acted(evidence: Evidence) -> Counter[tuple[str, str]]:
    """How often each run began to act."""
    return Counter((act.host, act.id) for act in _acts(evidence) if act.at == "begin")


def _acts(evidence: Evidence) -> Iterator[Act]:
    return (act for acts in evidence.acts.values() for act in acts)


def _by_run(evidence: Evidence) -> Iterator[tuple[tuple[str, str], Sequence[Act]]]:
    found: defaultdict[tuple[str, str], list[Act]] = defaultdict(list)
    for act in _acts(evidence):
        found[act.host, act.id].append(act)
    return iter(found.items())


def _in_order(what: str, acts: Sequence[Act], place: Mapping[tuple[str, str], int]) -> Iterator[Violation]:
    """Each run's first beginning comes after those of all that were asked for before it, as far as they began."""
    first = dict.fromkeys((act.host, act.id) for act in acts if act.at == "begin")
    latest: tuple[str, str] | None = None
    for run in first:
        if run not in place:
            continue
        if latest and place[run] < place[latest]:
            told = f"{what}: it was asked for before {latest[1]} on {latest[0]}, and began after it"
            yield Violation("overtaken", *run, told)
        else:
            latest = run


def _apart(what: str, acts: Sequence[Act]) -> Iterator[Violation]:
    """An end must belong to whoever began last: otherwise two were at it. One that was killed tells no end."""
    last: Act | None = None
    for act in acts:
        if act.at == "end" and last and act.place != last.place:
            other = f"{last.process} of run {last.id} on {last.host}"
            told = f"{what}: process {act.process} was still at it when {other} began"
            yield Violation("overlap", act.host, act.id, told)
        if act.at == "begin":
            last = act
