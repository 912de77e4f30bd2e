"""Which secrets the manifests name, whether they are found, and who reads them (`reconcile secrets check`)."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.visible import visible
from reconciler.reports.words import count
from reconciler.resources.values import dataclass

_HOSTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret."""

    path: str
    found: bool
    problem: str
    """What is wrong and where it was looked for; empty where it was found."""
    apps: tuple[str, ...]
    hosts: tuple[str, ...]


def secrets_text(rows: Sequence[SecretRow], *, color: bool) -> str:
    """Two lines a secret: whether it is there, and who reads it."""
    if not rows:
        return "The manifests name no secrets.\n"
    paint = Palette(color)
    lines = []
    for row in rows:
        state = paint.good("found  ") if row.found else paint.bad("missing")
        lines.append(f"{state}  {paint.strong(visible(row.path))}  for {', '.join(row.apps)} on {_hosts(row.hosts)}")
        lines += [f"         {visible(row.problem)}"] if row.problem else []
    missing = sum(not row.found for row in rows)
    last = (
        f"{count(len(rows), 'secret')}, {missing} missing." if missing else f"{count(len(rows), 'secret')}, all found."
    )
    return "".join(f"{line}\n" for line in [*lines, "", paint.strong(last)])


def secrets_json(rows: Sequence[SecretRow]) -> str:
    """{"format": 1, "secrets": [{"path", "found", "problem", "apps", "hosts"}...]}."""
    return document(secrets=rows)


def _hosts(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_HOSTS_SHOWN])
    return f"{shown} and {len(names) - _HOSTS_SHOWN} more" if len(names) > _HOSTS_SHOWN else shown
