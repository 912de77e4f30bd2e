"""What was measured: the latest sample of each host, its series, and their roll-ups of 5 minutes.

Written by collectors, one atomic step for all that a host told at a moment; read by commands, pages and collectors
that start. How series are packed is said in `functions/sample_write.lua`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from reconciler.resources.values import dataclass
from reconciler.store.check import ServerFacts
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Command, Link, call, fields
from reconciler.store.reading import Reading, instant
from reconciler.store.users import Nodes

FULL_SHARE = 0.7
"""Of maxmemory: above it no series are written, so that there is room for what convergence needs."""

FULL_SECONDS = 120
HOUR_SECONDS, DAY_SECONDS, BUCKET_SECONDS = 3600, 86_400, 300

_LEADING = ("cpu", "mem", "disk", "network", "status", "sampled_at", "rolled_up_to")
_LARGEST_STEP_MS = HOUR_SECONDS * 1000


@dataclass(frozen=True, slots=True)
class HostSample:
    """A sample as it is written."""

    host: str
    values: Mapping[str, float]
    """By the text of a `Series`."""
    kept: Container[str]
    """Texts of those that are kept as series."""
    status: str = "ok"
    age_seconds: float = 0.0
    """How long ago it was taken; the server's clock says when that was."""
    interval_seconds: float = 5.0
    raw_seconds: float = DAY_SECONDS
    rollup_seconds: float = 30 * DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Written:
    """What the server says of a written sample."""

    server_time: datetime
    series: bool
    """False: it is short of memory, so only the latest values were kept."""
    held: frozenset[str] = frozenset()
    """Apps of the host whose alerts are held back, since they are being applied."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest sample of a host."""

    at: datetime
    status: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RollUp:
    """Five minutes of a series."""

    at: datetime
    average: float
    highest: float


class MetricRecords:
    """`Store.metrics`."""

    def __init__(self, link: Link, nodes: Nodes, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._nodes = nodes
        self._keys = keys
        self._reading = reading

    def write(self, samples: Sequence[HostSample]) -> Sequence[Written]:
        """Write samples, those of a host oldest first."""
        replies = self._link.send_all([self._command(sample) for sample in samples])
        return [
            Written(
                datetime.fromtimestamp(float(reply[0]), UTC), bool(reply[1]), frozenset(map(bytes.decode, reply[2]))
            )
            for reply in replies
        ]

    def latest(self, hosts: Iterable[str]) -> Mapping[str, Latest]:
        """The newest samples; hosts that were never sampled are left out."""
        names = list(hosts)
        keys = [self._keys.host(name) + "metrics" for name in names]
        replies = self._reading.ask_all([("HGETALL", key) for key in keys])
        found = {
            name: self._reading.record(key, partial(_latest, reply))
            for name, key, reply in zip(names, keys, replies, strict=True)
            if reply
        }
        return {name: latest for name, latest in found.items() if latest}

    def newest(self, hosts: Iterable[str]) -> Mapping[str, Mapping[str, float]]:
        """The values of the newest samples."""
        return {name: latest.values for name, latest in self.latest(hosts).items()}

    def series(
        self, host: str, names: Sequence[str], since: datetime, until: datetime
    ) -> Mapping[str, Sequence[tuple[datetime, float]]]:
        """The points of some series between two moments, oldest first; gaps are left out."""
        found = self.over([(host, name) for name in names], since, until)
        return {name: points for (_, name), points in found.items()}

    def over(
        self, wanted: Iterable[tuple[str, str]], since: datetime, until: datetime
    ) -> Mapping[tuple[str, str], Sequence[tuple[datetime, float]]]:
        """(host, series) -> its points between two moments; as `series`, of many hosts at once."""
        hours = range(int(since.timestamp() // HOUR_SECONDS), int(until.timestamp() // HOUR_SECONDS) + 1)
        found: dict[tuple[str, str], list[tuple[datetime, float]]] = {pair: [] for pair in wanted}
        asked = [(pair, hour) for pair in found for hour in hours]
        keys = [f"{self._keys.host(host)}series:{name}:{hour}" for (host, name), hour in asked]
        replies = self._reading.ask_all([("GET", key) for key in keys])
        for (pair, hour), key, packed in zip(asked, keys, replies, strict=True):
            if packed:
                found[pair] += self._reading.record(key, partial(_points, hour, packed, since, until)) or ()
        return found

    def rollups(self, host: str, name: str, since: datetime, until: datetime) -> Sequence[RollUp]:
        """Average and highest of each 5 minutes between two moments, oldest first; gaps are left out."""
        days = range(int(since.timestamp() // DAY_SECONDS), int(until.timestamp() // DAY_SECONDS) + 1)
        found: list[RollUp] = []
        keys = [f"{self._keys.host(host)}rollup:{name}:{day}" for day in days]
        for day, key, packed in zip(days, keys, self._reading.ask_all([("GET", key) for key in keys]), strict=True):
            parts = self._reading.record(key, partial(_rollups, day, packed)) if packed else ()
            found += [part for part in parts or () if since <= part.at <= until]
        return found

    def memory_share(self) -> float:
        """The share of its memory limit that the fullest server uses; 0 where there is no limit."""
        facts = [ServerFacts.parse(reply.decode()) for reply in self._nodes.ask_nodes("INFO")]
        return max((each.used_bytes / each.limit_bytes for each in facts if each.limit_bytes), default=0.0)

    def hold_series(self, hosts: Iterable[str]) -> None:
        """Keep the series of these hosts from growing for the next two minutes."""
        commands: list[Command] = [("SET", self._keys.host(host) + "full", "1", "EX", FULL_SECONDS) for host in hosts]
        self._link.send_all(commands)

    def _command(self, sample: HostSample) -> Command:
        names = list(sample.values)
        flags = "".join("1" if name in sample.kept else "0" for name in names)
        step = min(max(1, round(sample.interval_seconds * 1000)), _LARGEST_STEP_MS)
        arguments: list[Argument] = [
            f"{max(0.0, sample.age_seconds):.3f}",
            step,
            math.ceil(sample.raw_seconds + HOUR_SECONDS),
            math.ceil(sample.rollup_seconds + DAY_SECONDS),
            flags,
            struct.pack(f"<{len(names)}d", *sample.values.values()),
            *_leading(sample),
            *names,
        ]
        return call("sample_write", self._keys.host(sample.host), *arguments)


def _leading(sample: HostSample) -> tuple[str, ...]:
    """cpu, mem and disk in percent, network in bytes a second both ways, the status."""
    get = sample.values.get
    shares = [get(f"{name}.percent") for name in ("cpu", "mem", "disk")]
    ways = [get(f"network.{way}_bytes_per_second") for way in ("received", "sent")]
    both = f"{sum(way for way in ways if way is not None):.0f}" if None not in ways else ""
    return (*("" if share is None else f"{share:.1f}" for share in shares), both, sample.status)


def _latest(reply: Sequence[bytes]) -> Latest:
    found = fields(reply)
    at = instant(found.get("sampled_at"))
    if at is None:
        raise ValueError("no time")
    values = {name: float(text) for name, text in found.items() if name not in _LEADING}
    return Latest(at, found.get("status", ""), {name: value for name, value in values.items() if math.isfinite(value)})


def _points(hour: int, packed: bytes, since: datetime, until: datetime) -> list[tuple[datetime, float]]:
    """The points of an hour; only those near the two moments are unpacked."""
    step = int.from_bytes(packed[:4], "little")
    if not 0 < step <= _LARGEST_STEP_MS or len(packed) % 4:
        raise ValueError("no series")
    start = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
    each = timedelta(milliseconds=step)
    first = max(0, (since - start) // each)
    last = min(len(packed) // 4 - 1, (until - start) // each + 1)
    if last <= first:
        return []
    values = struct.unpack_from(f"<{last - first}f", packed, 4 + 4 * first)
    points = ((start + place * each, value) for place, value in enumerate(values, first) if not math.isnan(value))
    return [point for point in points if since <= point[0] <= until]


def _rollups(day: int, packed: bytes) -> list[RollUp]:
    if len(packed) % 8:
        raise ValueError("no roll-ups")
    start = datetime.fromtimestamp(day * DAY_SECONDS, UTC)
    pairs = struct.iter_unpack("<ff", packed)
    return [
        RollUp(start + timedelta(seconds=place * BUCKET_SECONDS), average, highest)
        for place, (average, highest) in enumerate(pairs)
        if not math.isnan(average)
    ]
