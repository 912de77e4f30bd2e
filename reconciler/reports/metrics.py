"""What was measured on hosts (`reconcile hosts metrics`): one line a host, or everything of one with its last hour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.model.metrics import METRICS
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible
from reconciler.reports.words import age, natural
from reconciler.resources.values import dataclass, field

PAST = timedelta(hours=1)
WIDTH = 20
STALE = timedelta(seconds=30)

_BARS = "▁▂▃▄▅▆▇█"
_ORDER = {name: place for place, name in enumerate(METRICS)}


@dataclass(frozen=True, slots=True)
class HostMetrics:
    """What was measured on one host."""

    name: str
    sampled_at: datetime | None = None
    status: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    """By the texts of series: `filesystem.percent[/var]`."""
    past: Mapping[str, Sequence[tuple[datetime, float]]] = field(default_factory=dict)
    """The points of the last hour, of series that are kept; only where they were asked for."""


def metrics_text(hosts: Sequence[HostMetrics], *, now: datetime, color: bool) -> str:
    """A line for each host, in natural order."""
    if not hosts:
        return "No hosts.\n"
    paint = Palette(color)
    header = [paint.quiet(name) for name in ("HOST", "CPU", "MEM", "DISK", "NETWORK", "SAMPLED", "STATUS")]
    lines = aligned(
        [header, *(_cells(host, now, paint) for host in sorted(hosts, key=lambda host: natural(host.name)))]
    )
    return "".join(f"{line}\n" for line in lines)


def host_metrics_text(host: HostMetrics, *, now: datetime, color: bool) -> str:
    """Everything that one host told, and the last hour of what is kept."""
    paint = Palette(color)
    if host.sampled_at is None:
        return f"{visible(host.name)} was never sampled. Its agent, or reconcile watch, does that.\n"
    title = f"{visible(host.name)}  {_status(host, paint)}  sampled {age(host.sampled_at, now)}"
    rows = [
        [visible(text), shown(text, host.values[text]), paint.note(spark(host.past.get(text, ()), now))]
        for text in sorted(host.values, key=_place)
    ]
    return "".join(f"{line}\n" for line in [title, "", *aligned(rows)])


def metrics_json(hosts: Sequence[HostMetrics]) -> str:
    """{"format": 1, "hosts": {name: {sampled_at, status, values, past}}}; points as [time, value]."""
    return document(hosts={host.name: host for host in hosts})


def spark(points: Sequence[tuple[datetime, float]], now: datetime) -> str:
    """The last hour as a line of bars, newest on the right, from the lowest to the highest value; a gap is a space."""
    cells: list[list[float]] = [[] for _ in range(WIDTH)]
    for at, value in points:
        place = WIDTH - 1 - int((now - at) / PAST * WIDTH)
        if 0 <= place < WIDTH:
            cells[place].append(value)
    heights = [sum(cell) / len(cell) if cell else None for cell in cells]
    known = [height for height in heights if height is not None]
    low, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    return "".join(
        " " if height is None else _BARS[round((height - low) / span * (len(_BARS) - 1)) if span else 0]
        for height in heights
    ).rstrip()


def shown(text: str, value: float) -> str:
    """A value with the unit that the end of its name says."""
    name = text.partition("[")[0]
    if name in METRICS:
        for ending, show in _UNITS.items():
            if name.endswith(ending):
                return show(value)
    return f"{value:g}"


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def _seconds(value: float) -> str:
    return f"{value:.3f} s" if abs(value) < 10 else f"{value:,.0f} s"


_UNITS: Mapping[str, Callable[[float], str]] = {
    "percent": "{:.1f} %".format,
    "_bytes_per_second": lambda value: f"{_bytes(value)}/s",
    "_per_second": "{:.1f}/s".format,
    "bytes": _bytes,
    "seconds": _seconds,
    "celsius": "{:.1f} °C".format,
}


def _cells(host: HostMetrics, now: datetime, paint: Palette) -> list[str]:
    shares = [_share(host, f"{name}.percent") for name in ("cpu", "mem", "disk")]
    ways = [host.values.get(f"network.{way}_bytes_per_second") for way in ("received", "sent")]
    known = [way for way in ways if way is not None]
    network = f"{_bytes(sum(known))}/s" if known else "-"
    told = age(host.sampled_at, now)
    stale = host.sampled_at is None or now - host.sampled_at > STALE
    return [visible(host.name), *shares, network, paint.careful(told) if stale else told, _status(host, paint)]


def _share(host: HostMetrics, name: str) -> str:
    value = host.values.get(name)
    return "-" if value is None else shown(name, value)


def _status(host: HostMetrics, paint: Palette) -> str:
    if not host.status:
        return "-"
    return paint.good("ok") if host.status == "ok" else paint.bad(visible(host.status))


def _place(text: str) -> tuple[int, tuple[tuple[str, int, str], ...]]:
    """In the order of the table of metrics; those of apps come last."""
    return _ORDER.get(text.partition("[")[0], len(_ORDER)), natural(text)
