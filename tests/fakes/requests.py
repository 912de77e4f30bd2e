"""Requests as an executor would send them, in few words."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from reconciler.resources.applying import engine
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import Event, Finished, HealthEvent, Request, ResourceEvent, Wanted
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.trial import Trial


def wanted(kind: str, *, called: str = "", keep: bool = False, sensitive: bool = False, **fields: Any) -> Wanted:
    """One resource; its id and fingerprint follow from its fields."""
    key = str(fields.get("path") or fields.get("name") or fields.get("key") or " ".join(fields.get("argv", ())))
    fingerprint = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:12]
    return Wanted(f"{kind}:{key}", kind, called or f"{kind}:{key}", fields, fingerprint, keep, sensitive)


def request(*resources: Wanted, app: str = "web", generation: int = 1, **options: Any) -> Request:
    """A request for one app; its digest follows from its resources."""
    digest = hashlib.sha256(repr([each.fingerprint for each in resources]).encode()).hexdigest()[:12]
    plain = Request("fleet", "host", app, generation, digest, resources)
    return replace(plain, **options)


def run(wish: Request, system: System) -> tuple[list[Event], Finished]:
    """Apply to the end."""
    events = list(engine.apply(wish, system))
    assert isinstance(events[-1], Finished)
    return events[:-1], events[-1]


def trial_of(system: System, app: str = "web") -> Trial:
    """The trial that an app is on."""
    trial = read_ledger(system, "fleet", "host").apps[app].trial
    assert trial is not None, f"{app} is on no trial"
    return trial


def undo(system: System, trial: Trial, app: str = "web") -> tuple[list[Event], Finished]:
    """Take an app back, to the end."""
    events = list(engine.undo(system, "fleet", "host", app, trial))
    assert isinstance(events[-1], Finished)
    return events[:-1], events[-1]


def confirm(system: System, trial: Trial, app: str = "web") -> bool:
    """Confirm an app's trial."""
    return engine.confirm(system, "fleet", "host", app, trial)


def look(wish: Request, system: System) -> tuple[list[Event], Finished]:
    """Inspect to the end."""
    events = list(engine.inspect(wish, system))
    assert isinstance(events[-1], Finished)
    return events[:-1], events[-1]


def actions(events: list[Event]) -> dict[str, str]:
    """Resource id -> its last action; health checks by name."""
    found = {event.id: event.action for event in events if isinstance(event, ResourceEvent)}
    return found | {event.check: "ok" if event.ok else "failed" for event in events if isinstance(event, HealthEvent)}
