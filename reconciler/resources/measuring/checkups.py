"""What apps say of themselves on a host: their services, health checks, certificates and own metrics.

Run beside the sampling in a thread of its own, since a check may take seconds; a sample takes what was found last.
Each check has its own period, and waits for a sample to begin; a result that was not renewed for three times as long is
no longer told.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from reconciler.resources.failure import EXPECTED, Failure, as_failure
from reconciler.resources.machine.system import Command, System
from reconciler.resources.measuring.certificates import certificate_expiry
from reconciler.resources.measuring.exposition import Exposition, parse_exposition
from reconciler.resources.measuring.health import parse_health
from reconciler.resources.measuring.readings import named
from reconciler.resources.tools.service_tools import service_tool

SERVICE_SECONDS = 15.0
HEALTH_SECONDS = 30.0
CERTIFICATE_SECONDS = 300.0
OUTPUT_BYTES = 1 << 20
"""Of a page or file with metrics; a command's is bounded by the system."""

COMMAND_SECONDS = 10.0
SHORTEST_SECONDS = 1.0
PERIODS_KEPT = 3

Values = Dict[str, float]


class Checkup:
    """One thing that is looked at again and again."""

    def __init__(self, period_seconds: float, look: Callable[[System], Values]) -> None:
        self.period_seconds = max(SHORTEST_SECONDS, period_seconds)
        self.look = look
        self.due_at = float("-inf")
        self.found_at = float("-inf")
        self.values: Values = {}
        self.note = ""


class Checkups:
    """Looks after everything that a host's apps declare.

    Args:
        system: of the host; its own, so that no lock of an apply is in the way.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self._declared: List[Mapping[str, Any]] = []
        self._checkups: List[Checkup] = []
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._asked_at: Optional[float] = None
        self._gap_seconds = 0.0
        """Between two samples."""

    def declare(self, apps: Sequence[Mapping[str, Any]]) -> None:
        """From now on look after these: {"app", "services": [name], "health": [check], "metrics": [metric]} each."""
        if list(apps) != self._declared:
            self._declared = list(apps)
            with self._lock:
                self._checkups = [checkup for app in apps for checkup in _checkups(app)]

    def run_due(self, *, wait: bool = False) -> None:
        """Start what is due, unless the last round is still under way."""
        now = self._system.clock.monotonic()
        self._gap_seconds = now - self._asked_at if self._asked_at is not None else 0.0
        self._asked_at = now
        with self._lock:
            due = [checkup for checkup in self._checkups if checkup.due_at <= now]
        if not due or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self._round, args=(due,), name="checkups", daemon=True)
        self._thread.start()
        if wait:
            self._thread.join()

    def found(self) -> Tuple[Values, List[str]]:
        """The newest results, and what could not be looked at and why."""
        now = self._system.clock.monotonic()
        values: Values = {}
        notes: List[str] = []
        with self._lock:
            for checkup in self._checkups:
                if now - checkup.found_at <= PERIODS_KEPT * max(checkup.period_seconds, self._gap_seconds):
                    values.update(checkup.values)
                if checkup.note:
                    notes.append(checkup.note)
        return values, notes

    def _round(self, due: Sequence[Checkup]) -> None:
        for checkup in due:
            values: Optional[Values] = None
            note = ""
            try:
                values = checkup.look(self._system)
            except EXPECTED as error:
                note = as_failure(error).text()
            except (ValueError, LookupError) as error:
                note = str(error)
            now = self._system.clock.monotonic()
            with self._lock:
                checkup.due_at = now + checkup.period_seconds
                checkup.note = note[:200]
                if values is not None:
                    checkup.values, checkup.found_at = values, now


def _checkups(app: Mapping[str, Any]) -> Iterator[Checkup]:
    for service in app.get("services", ()):
        yield Checkup(SERVICE_SECONDS, _service(str(service)))
    checks = list(app.get("health", ()))
    if checks:
        yield Checkup(HEALTH_SECONDS, _health(str(app["app"]), checks))
    for check in checks:
        tls = check.get("tls")
        if isinstance(tls, dict):
            yield Checkup(CERTIFICATE_SECONDS, _certificate(str(tls.get("address")), str(tls.get("serverName") or "")))
    for metric in app.get("metrics", ()):
        yield Checkup(float(metric["interval"]), _own(metric))


def _service(name: str) -> Callable[[System], Values]:
    def look(system: System) -> Values:
        if system.sandbox:
            return {}
        state = service_tool(system).look(system, name)
        return {named("service.running", name): float(state is not None and state.running)}

    return look


def _health(app: str, declared: Sequence[Mapping[str, Any]]) -> Callable[[System], Values]:
    def look(system: System) -> Values:
        """One try of each check: how long it may take to come up is the business of an apply."""
        checks = [parse_health(each) for each in declared]
        return {named("health.ok", app): float(all(not check.tried(system) for check in checks))}

    return look


def _certificate(address: str, server_name: str) -> Callable[[System], Values]:
    def look(system: System) -> Values:
        expires = certificate_expiry(address, server_name)
        return {named("certificate.left_seconds", address): expires - system.clock.timestamp()}

    return look


def _own(metric: Mapping[str, Any]) -> Callable[[System], Values]:
    name = str(metric["name"])

    def look(system: System) -> Values:
        text = _text(metric, system)
        found = parse_exposition(text, name)
        if not found:
            raise Failure("no-metric", f"metric {name}: there is no number of that name in what was read")
        return _values(name, found)

    return look


def _values(name: str, found: Exposition) -> Values:
    return {(named(name, labels) if labels else name): value for labels, value in found.items()}


def _text(metric: Mapping[str, Any], system: System) -> str:
    name = metric["name"]
    if metric.get("command"):
        done = system.run(Command(tuple(map(str, metric["command"])), timeout_seconds=COMMAND_SECONDS))
        if not done.ok:
            raise Failure("metric-failed", f"metric {name}: {done.complaint}")
        return done.stdout
    if metric.get("textfile"):
        file = system.read(str(metric["textfile"]), OUTPUT_BYTES)
        if file is None:
            raise Failure("metric-failed", f"metric {name}: there is no file {metric['textfile']}")
        return file[1].decode("utf-8", "replace")
    from reconciler.resources.measuring.fetching import fetch  # noqa: PLC0415 - slow to load

    status, body = fetch(str(metric["url"]), COMMAND_SECONDS)
    if status != 200:
        raise Failure("metric-failed", f"metric {name}: {metric['url']} answers {status}")
    return body
