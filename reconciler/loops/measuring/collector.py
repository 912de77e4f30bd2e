"""The collector: samples hosts at their time, keeps what rules look back at, has rules judged and samples written.

Runs in an agent for its own host, and in a watch for the hosts of its machine and those over SSH. Two threads: one
samples and judges, so that no write delays a sample, one writes.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol
from zlib import crc32

from reconciler.clock import Clock
from reconciler.errors import ReconcilerError
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.log import Log, SaidOnce
from reconciler.loops.measuring.app_checks import AppChecks
from reconciler.loops.measuring.ring import Ring
from reconciler.loops.measuring.sample_writer import SampleWriter, Waiting
from reconciler.loops.measuring.watched_host import WatchedHost, windows_of
from reconciler.model.monitoring import Alert
from reconciler.model.samples import Measuring, Series
from reconciler.resources.values import dataclass, field
from reconciler.store import Written

TURN_SECONDS = 0.2
WRITE_SECONDS = 0.5
STOP_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 10.0
"""Between two tries to write while Redis is away."""
LONGEST_ABSENCE_SECONDS = 60.0
"""Between two tries to sample a host that is out of reach."""
MOST_VALUES = 1000
"""Of one sample; a host that tells more is not believed."""
LONGEST_NAME = 200


class Watching(Protocol):
    """The hosts that are to be sampled, as they are now."""

    @property
    def hosts(self) -> Collection[str]: ...

    @property
    def measuring(self) -> Measuring: ...

    def of(self, host: str) -> WatchedHost:
        """What is known of one of them."""
        ...


class Judge(Protocol):
    """Evaluates the rules about a host."""

    interval_seconds: float

    def judge(self, host: WatchedHost, ring: Ring, at: float, now: datetime) -> None:
        """A sample was taken at this moment, monotonic and by the clock of Redis; raises nothing."""
        ...

    def publish(self, written: Mapping[str, Written]) -> None:
        """Samples of these hosts were written: tell what was found."""
        ...

    def forget(self, hosts: Collection[str]) -> None:
        """Only these hosts are judged from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to sample, as on an ops server that stands by."""

    hosts: Collection[str] = ()
    measuring: Measuring = field(default_factory=Measuring)

    def of(self, host: str) -> WatchedHost:
        return WatchedHost(host)


@dataclass(frozen=True, slots=True)
class _Taken:
    """What came of sampling a host; or, with `past`, what was remembered of it."""

    host: WatchedHost
    at: float
    reply: Mapping[str, Any] | None = None
    error: str = ""
    past: Mapping[str, Sequence[tuple[float, float]]] | None = None


@dataclass(slots=True)
class _Known:
    """What the collector remembers of a host."""

    due: float
    ring: Ring
    rules: tuple[Alert, ...] | None = None
    absence: float = 0.0
    recalled: bool = False


class Collector:
    """See the module.

    Args:
        sample: samples a host, as `resources.sampling`; raises ReconcilerError.
        crew: works on hosts across the network.
        judge: evaluates the rules.
    """

    def __init__(
        self,
        *,
        sample: Callable[[str, Sequence[AppChecks]], Mapping[str, Any]],
        writer: SampleWriter,
        crew: Crew,
        clock: Clock,
        log: Log,
        judge: Judge,
    ) -> None:
        self._sample = sample
        self._writer = writer
        self._crew = crew
        self._clock = clock
        self._log = log
        self._judge = judge
        self._watching: Watching = Nothing()
        self._settled: Watching = self._watching
        self._known: dict[str, _Known] = {}
        self._taken: SimpleQueue[_Taken] = SimpleQueue()
        self._said = SaidOnce()
        self._kept = KeptSeries(Measuring(), frozenset())

    def show(self, watching: Watching) -> None:
        """From now on, sample these."""
        self._watching = watching

    def run(self, stop: threading.Event) -> None:
        """Sample until `stop` is set."""
        writing = threading.Thread(target=self._write_on, args=(stop,), name="sample-writer", daemon=True)
        writing.start()
        while not stop.wait(self._pause()):
            self.tick()
        writing.join(STOP_SECONDS)

    def tick(self) -> None:
        """Begin what is due, and take in what has come."""
        if self._watching is not self._settled:
            self._settle(self._watching)
        now = self._clock.monotonic()
        for host in [host for host, known in self._known.items() if known.due <= now]:
            self._begin(host, now)
        while not self._taken.empty():
            self._take_in(self._taken.get())

    def deliver(self) -> None:
        """Write what was sampled, and remember what was measured before this process began.

        Raises:
            ReconcilerError: Redis cannot be reached, or does not let us write.
        """
        if self._writer.dropped:
            self._said.say("dropped", self._log.warning, "samples-dropped", reason="Redis was away for too long")
        written = self._writer.deliver()
        if written:
            self._said.over("dropped")
        if not all(reply.series for reply in written.values()):
            self._said.say("series", self._log.warning, "series-paused", reason="Redis is short of memory")
        elif written:
            self._said.over("series")
        self._judge.publish(written)
        for name in written:
            known = self._known.get(name)
            if known is not None and not known.recalled:
                self._taken.put(_Taken(WatchedHost(name), 0.0, past=self._writer.past(name, known.ring.windows)))
                known.recalled = True

    def _pause(self) -> float:
        if self._crew.busy:
            return TURN_SECONDS / 4
        first = min((known.due for known in self._known.values()), default=math.inf)
        return min(max(first - self._clock.monotonic(), 0.01), TURN_SECONDS)

    def _write_on(self, stop: threading.Event) -> None:
        pause = WRITE_SECONDS
        while not stop.wait(pause):
            try:
                self.deliver()
                pause = WRITE_SECONDS
                self._said.over("write")
            except ReconcilerError as error:
                self._said.say("write", self._log.warning, "samples-wait", reason=str(error))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _settle(self, watching: Watching) -> None:
        """Hosts come and go; the first sample of each has its own place in the interval."""
        now, interval = self._clock.monotonic(), watching.measuring.interval_seconds
        self._settled = watching
        self._writer.measuring = watching.measuring
        self._judge.interval_seconds = interval
        self._judge.forget(watching.hosts)
        for gone in self._known.keys() - set(watching.hosts):
            del self._known[gone]
        for host in watching.hosts:
            if host not in self._known:
                due = now + interval * crc32(host.encode()) / 2**32 if self._crew.remote(host) else now
                self._known[host] = _Known(due, Ring({}, watching.measuring.fresh_seconds))
            known = self._known[host]
            known.due = min(known.due, now + interval)
            known.ring.forget(now - max(known.ring.windows.values(), default=0.0) - watching.measuring.fresh_seconds)

    def _begin(self, name: str, now: float) -> None:
        known, interval = self._known[name], self._settled.measuring.interval_seconds
        known.due = max(known.due + interval, now + interval / 2)
        host = self._settled.of(name)
        if host.rules != known.rules:
            known.rules = host.rules
            known.ring.look_back(windows_of(host.rules), self._settled.measuring.fresh_seconds)
            self._kept = KeptSeries(self._settled.measuring, self._kept.looked_at | known.ring.windows.keys())
        if self._crew.remote(name):
            self._crew.start(name, partial(self._take, host))  # else the last sample is still on its way
        else:
            self._take(host)

    def _take(self, host: WatchedHost) -> None:
        began = self._clock.monotonic()
        try:
            reply = self._sample(host.name, host.checks)
        except ReconcilerError as error:
            self._taken.put(_Taken(host, began, error=str(error)))
        except Exception as error:  # noqa: BLE001 - told, and the other hosts are sampled
            self._taken.put(_Taken(host, began, error=_our_mistake(error)))
        else:
            self._taken.put(_Taken(host, (began + self._clock.monotonic()) / 2, reply))

    def _take_in(self, taken: _Taken) -> None:
        name = taken.host.name
        known = self._known.get(name)
        if known is None:
            return
        if taken.past is not None:
            for text, points in taken.past.items():
                known.ring.fill(text, points, self._settled.measuring.interval_seconds)
        elif taken.reply is None:
            known.absence = min(
                max(2 * known.absence, self._settled.measuring.interval_seconds), LONGEST_ABSENCE_SECONDS
            )
            known.due = self._clock.monotonic() + known.absence
            self._said.say(name, self._log.warning, "not-sampled", host=name, reason=taken.error)
        else:
            known.absence = 0.0
            try:
                self._add(taken, taken.reply, known.ring)
            except Exception as error:  # noqa: BLE001 - told, and the other hosts are sampled
                self._said.say(
                    f"mistake about {name}", self._log.error, "not-judged", host=name, reason=_our_mistake(error)
                )

    def _add(self, taken: _Taken, reply: Mapping[str, Any], ring: Ring) -> None:
        name = taken.host.name
        values = sound(reply.get("values"))
        server_time, own_time = self._writer.server_time(taken.at), _number(reply.get("at"))
        if server_time is not None and own_time is not None:
            values["clock.offset_seconds"] = own_time - server_time
        self._tell_notes(name, reply.get("notes"))
        ring.add(taken.at, values)
        self._writer.add(name, Waiting(taken.at, values, status_of(values), self._kept))
        if server_time is not None:
            self._judge.judge(taken.host, ring, taken.at, datetime.fromtimestamp(server_time, UTC))

    def _tell_notes(self, name: str, notes: object) -> None:
        if isinstance(notes, list) and notes:
            told = "; ".join(str(note)[:LONGEST_NAME] for note in notes[:10])
            self._said.say(name, self._log.warning, "partly-sampled", host=name, reason=told)
        else:
            self._said.over(name)


class KeptSeries:
    """The series that are written: what the fleet keeps, and what rules look back at. A container of their texts."""

    def __init__(self, measuring: Measuring, looked_at: frozenset[str]) -> None:
        self.looked_at = looked_at
        self._measuring = measuring
        self._answers: dict[str, bool] = {}

    def __contains__(self, text: object) -> bool:
        name = str(text)
        answer = self._answers.get(name)
        if answer is None:
            metric = Series.parse(name).metric
            answer = self._answers[name] = metric in self.looked_at or self._measuring.keeps(metric)
        return answer


def sound(values: object) -> dict[str, float]:
    """The numbers of a sample that can be believed to be one: hosts may tell anything."""
    if not isinstance(values, Mapping):
        return {}
    numbers = ((name, _number(value)) for name, value in list(values.items())[:MOST_VALUES])
    return {
        name: value
        for name, value in numbers
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable() and value is not None
    }


def _number(value: object) -> float | None:
    """What can be counted with; JSON also has infinities, and integers of any length."""
    try:
        found = float(value) if isinstance(value, float | int) else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _our_mistake(error: Exception) -> str:
    return f"a mistake of ours: {type(error).__name__}: {error}"


def status_of(values: Mapping[str, float]) -> str:
    """`ok`, or what of the apps does not run or answer."""
    wrong = {
        Series.parse(text).instance
        for text, value in values.items()
        if not value and text.startswith(("service.running[", "health.ok["))
    }
    return f"failing: {', '.join(sorted(wrong))}" if wrong else "ok"
