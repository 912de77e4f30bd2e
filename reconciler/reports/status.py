"""How the fleet stands: per app and host whether it is as git says (sync) and whether it works (health).

`reconcile status` and the web pages show it. The two axes are apart, as in Argo CD: an app may be just as git says and
broken, or behind git and well.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.model.desired import Desired, DesiredApp
from reconciler.model.observed import AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.plan_text import drift_lines
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible, visible_lines
from reconciler.reports.words import age, count, moment, natural, short
from reconciler.resources.values import dataclass, replace

ROWS = 40
"""With more rows than this, those that need nobody's attention are only counted, unless -v is given."""


class Sync(enum.Enum):
    """Whether a host has what the current revision wants there."""

    IN_SYNC = "in sync"
    OUT_OF_SYNC = "out of sync"
    UNKNOWN = "unknown"


class Health(enum.Enum):
    """Whether the app works, as far as the last apply or look could tell."""

    HEALTHY = "healthy"
    PROGRESSING = "progressing"
    DEGRADED = "degraded"
    PAUSED = "paused"
    MISSING = "missing"
    UNKNOWN = "unknown"


_HEALTH = {
    AppStatus.CONVERGED: Health.HEALTHY,
    AppStatus.FAILED: Health.DEGRADED,
    AppStatus.ROLLED_BACK: Health.DEGRADED,
    AppStatus.CONFIRMING: Health.PROGRESSING,
    AppStatus.UNCONFIRMED: Health.DEGRADED,
    AppStatus.REFUSED: Health.DEGRADED,
    AppStatus.REPLAN: Health.PROGRESSING,
    AppStatus.WAITING: Health.PROGRESSING,
}


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One app on one host."""

    host: str
    app: str
    sync: Sync
    health: Health
    revision: str = ""
    """What was last applied."""
    at: datetime | None = None
    """When the host was last seen to be like this, or at least reached."""
    drift: tuple[Drift, ...] = ()
    error: str = ""
    paused: str = ""
    """Why people paused it."""
    unreachable: str = ""
    """Why its host can no longer be reached; the rest is what was last known."""
    unreachable_since: datetime | None = None
    note: str = ""
    """What else to know: `rolled back`, `leaves this host`."""

    @property
    def fine(self) -> bool:
        """Whether nobody has to look at it."""
        return self.sync is Sync.IN_SYNC and self.health is Health.HEALTHY and not (self.error or self.paused)


def status_rows(
    desired: Desired,
    observed: Mapping[str, ObservedHost],
    speakers: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> tuple[StatusRow, ...]:
    """A row for every app that should be or was seen on a host, by host and app.

    Args:
        desired: what should be.
        observed: what was seen.
        speakers: host that is retired -> apps elsewhere, as (host, app), that still list it.
    """
    rows = []
    for host in sorted({*desired.hosts, *observed}, key=natural):
        wanted = desired.hosts.get(host, {})
        seen = observed.get(host, ObservedHost())
        found = [_row(host, app, wanted.get(app), seen) for app in sorted({*wanted, *seen.apps})]
        waits_for = (speakers or {}).get(host)
        rows += [replace(row, note=_still_listed(waits_for)) for row in found] if waits_for else found
    return tuple(rows)


def status_text(rows: Sequence[StatusRow], *, now: datetime, color: bool, verbose: bool = False) -> str:
    """A table of apps and hosts with what is wrong below each line, and a last line with the sums.

    What changed in the texts of drifted files is shown of a single host, and with `verbose`.
    """
    paint = Palette(color)
    shown = [row for row in rows if verbose or len(rows) <= ROWS or not row.fine]
    texts = verbose or len({row.host for row in rows}) == 1
    lines = list(_table(shown, now, paint, texts=texts))
    if len(shown) < len(rows):
        lines.append(paint.quiet(f"... {len(rows) - len(shown)} more in sync and healthy, -v shows all"))
    lines += ["", paint.strong(_last_line(rows))] if lines else [_last_line(rows)]
    return "".join(f"{line}\n" for line in lines)


def status_json(rows: Sequence[StatusRow]) -> str:
    """{"format": 1, "apps": [the fields of StatusRow, `at` in ISO 8601...]}."""
    return document(apps=rows)


def _row(host: str, app: str, wanted: DesiredApp | None, seen: ObservedHost) -> StatusRow:
    found, paused = seen.apps.get(app), seen.paused_for(app)
    contact: dict[str, Any] = {"unreachable": seen.unreachable, "unreachable_since": seen.unreachable_since}
    if found is None:
        return StatusRow(host, app, Sync.UNKNOWN, Health.MISSING, paused=paused, note="never applied", **contact)
    gone = bool(seen.unreachable)
    return StatusRow(
        host=host,
        app=app,
        sync=Sync.UNKNOWN if gone else _sync(wanted, found),
        health=Health.PAUSED if paused else Health.UNKNOWN if gone else _HEALTH[found.status],
        revision=found.revision,
        at=max((when for when in (found.finished_at, found.verified_at, seen.seen_at) if when), default=None),
        drift=found.drift,
        error=found.error,
        paused=paused,
        note=_note(wanted, found, seen),
        **contact,
    )


def _sync(wanted: DesiredApp | None, found: ObservedApp) -> Sync:
    same = wanted is not None and wanted.digest == found.digest and found.status is AppStatus.CONVERGED
    return Sync.IN_SYNC if same and not found.drift else Sync.OUT_OF_SYNC


def _still_listed(speakers: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{app} on {host}" for host, app in speakers)
    return f"retired; what is ours is removed once this is applied without it, or by --override-drain: {named}"


def _note(wanted: DesiredApp | None, found: ObservedApp, seen: ObservedHost) -> str:
    if wanted is None:
        return "left the manifests of this host"
    if wanted.digest in seen.rejected:
        twice = found.status is AppStatus.UNCONFIRMED
        why = "applied twice and taken back twice" if twice else "failed here before"
        return f"{why}; a change tries it again, or `reconcile apply --app {wanted.app}`"
    return _NOTES.get(found.status, "")


_NOTES = {
    AppStatus.ROLLED_BACK: "rolled back to what was there before",
    AppStatus.CONFIRMING: "applied; taken back unless the host reaches Redis over a new connection",
    AppStatus.UNCONFIRMED: "tried once more, one to two minutes after it was taken back",
    AppStatus.REFUSED: "the host refused the statement",
    AppStatus.REPLAN: "facts of the host changed after the plan; planned again",
    AppStatus.WAITING: "waits for an app that it depends on",
}


def _table(rows: Sequence[StatusRow], now: datetime, paint: Palette, *, texts: bool) -> Iterator[str]:
    if not rows:
        return
    header = [paint.quiet(name) for name in ("HOST", "APP", "SYNC", "HEALTH", "REVISION", "SEEN")]
    first, *lines = aligned([header, *(_cells(row, now, paint) for row in rows)])
    yield first
    last = ""
    for row, line in zip(rows, lines, strict=True):
        yield line
        if row.unreachable and row.host != last:
            yield from (f"    {detail}" for detail in _contact(row, now, paint))
        last = row.host
        yield from (f"    {detail}" for detail in _details(row, paint, texts=texts))


def _cells(row: StatusRow, now: datetime, paint: Palette) -> list[str]:
    sync = {Sync.IN_SYNC: paint.good, Sync.OUT_OF_SYNC: paint.careful, Sync.UNKNOWN: paint.note}[row.sync]
    well = {Health.HEALTHY: paint.good, Health.DEGRADED: paint.bad}.get(row.health, paint.careful)
    revision = short(row.revision) if row.revision else "-"
    return [
        visible(row.host),
        visible(row.app),
        sync(row.sync.value),
        well(row.health.value),
        revision,
        age(row.at, now),
    ]


def _contact(row: StatusRow, now: datetime, paint: Palette) -> Iterator[str]:
    first, *more = visible_lines(row.unreachable)
    since = row.unreachable_since
    how_long = f"since {moment(since)}, {age(since, now)}; " if since else ""
    yield f"{paint.bad('unreachable:')} {first}"
    yield from (f"  {line}" for line in more)
    yield paint.quiet(f"{how_long}the rest is what was last known")


def _details(row: StatusRow, paint: Palette, *, texts: bool) -> Iterator[str]:
    if row.paused:
        yield f"{paint.careful('paused:')} {visible(row.paused)}"
    if row.error:
        first, *more = visible_lines(row.error)
        yield f"{paint.bad('error:')} {first}"
        yield from (f"  {line}" for line in more)
    if row.note:
        yield visible(row.note)
    if row.drift:
        yield paint.careful("drift:")
    for drift in row.drift:
        yield from drift_lines(drift, paint, indent="  ", texts=texts)


def _last_line(rows: Sequence[StatusRow]) -> str:
    if not rows:
        return "No app is placed on any host."
    hosts = count(len({row.host for row in rows}), "host")
    sync = Counter(row.sync for row in rows)
    health = Counter(row.health for row in rows)
    told = [f"{sync[kind]} {kind.value}" for kind in Sync if kind is not Sync.UNKNOWN and sync[kind]]
    told += [f"{sync[Sync.UNKNOWN]} with unknown sync"] if sync[Sync.UNKNOWN] else []
    told += [f"{health[Health.DEGRADED]} degraded"] if health[Health.DEGRADED] else []
    away = len({row.host for row in rows if row.unreachable})
    told += [f"{count(away, 'host')} unreachable"] if away else []
    return f"{count(len(rows), 'app')} on {hosts}: {', '.join(told)}."
