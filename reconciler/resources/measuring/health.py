"""Health checks: does what was applied also work? Each is tried until it holds or its time is over.

Called by the engine after reloads and restarts.
"""

from __future__ import annotations

import socket
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.machine.system import Command, System
from reconciler.resources.protocol import HealthEvent
from reconciler.resources.tools.service_tools import service_tool
from reconciler.resources.values import dataclass


@dataclass(frozen=True)
class HealthCheck:
    """One check, understood."""

    name: str
    probe: Callable[[System, float], str]
    """Takes the timeout in seconds; returns what is wrong, or an empty text."""
    timeout_seconds: float
    interval_seconds: float
    within_seconds: float

    def tried(self, system: System) -> str:
        """Try once: what is wrong, or an empty text."""
        try:
            return self.probe(system, self.timeout_seconds)
        except Failure as failure:
            return failure.message
        except (OSError, ValueError) as error:
            return str(getattr(error, "strerror", "") or error) or type(error).__name__


def parse_health(declared: Mapping[str, Any]) -> HealthCheck:
    """Understand a check.

    Raises:
        Failure: `invalid-field`.
    """
    kinds = [kind for kind in _KINDS if kind in declared]
    if len(kinds) != 1:
        raise Failure("invalid-field", f"a health check needs one of {', '.join(_KINDS)}")
    kind = kinds[0]
    inner = declared[kind] if isinstance(declared[kind], dict) else {}
    timing = ("timeout", "interval", "within")
    fields = Fields(f"health {kind}", {**{k: v for k, v in declared.items() if k != kind}, **inner})
    seconds = [fields.seconds(name, default) for name, default in zip(timing, (2.0, 2.0, 30.0))]
    target, probe = _KINDS[kind](fields)
    fields.done()
    return HealthCheck(f"{kind} {target}", probe, *seconds)


def all_healthy(checks: Sequence[HealthCheck], system: System, *, renewed: bool) -> List[HealthEvent]:
    """Wait for every check, up to the first that fails.

    Where a service was just reloaded or restarted, all must hold once more, an interval later: for a moment what ran
    before may still answer, as the old workers of nginx do.
    """
    events: List[HealthEvent] = []
    for check in checks:
        events.append(wait_healthy(check, system))
        if not events[-1].ok:
            return events
    if not checks or not renewed:
        return events
    system.clock.sleep(max(check.interval_seconds for check in checks))
    return all_healthy(checks, system, renewed=False)


def wait_healthy(check: HealthCheck, system: System) -> HealthEvent:
    """Try a check until it holds, at the longest for its `within`."""
    deadline = system.clock.monotonic() + check.within_seconds
    while True:
        wrong = check.tried(system)
        remaining = deadline - system.clock.monotonic()
        if not wrong or remaining <= 0:
            return HealthEvent(check.name, not wrong, wrong)
        system.clock.sleep(min(check.interval_seconds, remaining))


_Parsed = Tuple[str, Callable[[System, float], str]]


def _http(fields: Fields) -> _Parsed:
    url, status, contains = fields.text("url"), fields.number("status") or 200, fields.text("contains", "")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise fields.wrong("url", "an http or https URL")

    def probe(_: System, timeout: float) -> str:
        from reconciler.resources.measuring.fetching import fetch  # noqa: PLC0415 - slow to load, and a start over SSH waits

        code, body = fetch(url, timeout)
        if code != status:
            return f"status {code}, expected {status}"
        return "" if contains in body else f"the answer does not contain {contains!r}"

    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", probe


def _tcp(fields: Fields) -> _Parsed:
    port, host = fields.number("port"), fields.text("host", "127.0.0.1")
    if port is None:
        raise fields.wrong("port", "a number")

    def probe(_: System, timeout: float) -> str:
        socket.create_connection((host, port), timeout).close()
        return ""

    return f"{host}:{port}", probe


def _command(fields: Fields) -> _Parsed:
    argv = fields.argv("argv", required=True)

    def probe(system: System, timeout: float) -> str:
        done = system.run(Command(argv, timeout_seconds=timeout))
        return "" if done.ok else done.complaint

    return argv[0], probe


def _service(fields: Fields) -> _Parsed:
    name = fields.text("name")

    def probe(system: System, _: float) -> str:
        if system.sandbox:
            return "a sandbox has no services"
        state = service_tool(system).look(system, name)
        return "" if state and state.running else "it is not running"

    return name, probe


def _tls(fields: Fields) -> _Parsed:
    address, server_name = fields.text("address"), fields.text("serverName", "")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise fields.wrong("address", "HOST:PORT")

    def probe(_: System, timeout: float) -> str:
        import ssl  # noqa: PLC0415 - as above

        context = ssl.create_default_context()
        with (
            socket.create_connection((host.strip("[]"), int(port)), timeout) as plain,
            context.wrap_socket(plain, server_hostname=server_name or host),
        ):
            return ""

    return address, probe


_KINDS: Dict[str, Callable[[Fields], _Parsed]] = {
    "http": _http,
    "tcp": _tcp,
    "command": _command,
    "service": _service,
    "tls": _tls,
}
