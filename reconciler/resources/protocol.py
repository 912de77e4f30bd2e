"""What goes into the engine and what comes out: the same values in-process and as framed JSON over SSH."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Tuple, Union

from reconciler.resources.values import asdict, dataclass, field


@dataclass(frozen=True)
class Wanted:
    """One rendered resource. `fields` has the manifest's own (camelCase) names; a file's text stands in `content`."""

    id: str
    kind: str
    name: str
    fields: Mapping[str, Any]
    fingerprint: str
    """Identifies what is wanted; the engine only stores and compares it."""
    keep: bool = False
    sensitive: bool = False
    """Holds a secret: its text is never shown, logged or sent back."""


@dataclass(frozen=True)
class Request:
    """Bring (or look at) one app on one host."""

    fleet: str
    host: str
    app: str
    generation: int
    digest: str
    resources: Tuple[Wanted, ...] = ()
    health: Tuple[Mapping[str, Any], ...] = ()
    term: int = 0
    token: int = 0
    adopt: str = "refuse"
    prune: str = "true"
    on_failure: str = "rollback"
    confirm_seconds: float = 0.0
    """Put what is applied on trial for so long; 0: it stands once it is applied."""
    formerly: Tuple[str, ...] = ()
    """Old names of the app, whose ledger entries become this app's."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> the other app of this host that wants it now. Ours then moves there and is not deleted."""
    recovery: Mapping[str, Any] = field(default_factory=dict)
    """Kept in the ledger as it is and given back: bundle, values, revision; so that an emptied store fills again."""
    secrets: Tuple[str, ...] = field(default=(), repr=False)
    """Clear texts to mask in everything that is told; never stored."""
    remove: bool = False
    """The app left the manifests of this host: prune all that it owns."""


@dataclass(frozen=True)
class ResourceEvent:
    """A resource was looked at and, in an apply, acted on."""

    id: str
    name: str
    action: str
    """ok, add, change, delete, restart, reload, failed, skipped, left (stays behind), restored (by a rollback)."""
    differences: Tuple[str, ...] = ()
    """`mode: 0600 -> 0644`, `content` and the like; never a secret's text."""
    before: Optional[str] = None
    """Text of a file before, only where everyone may read it and it holds no secret; else None."""
    error: str = ""
    hint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class HealthEvent:
    """A health check ended."""

    check: str
    ok: bool
    message: str = ""


@dataclass(frozen=True)
class Finished:
    """The last event of a request."""

    status: str
    """converged, confirming (on trial), failed, rolled-back, unconfirmed (taken back); for a look: in-sync, drifted."""
    resources: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> fingerprint of what now stands in the ledger for this app."""
    adopted: Tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    changed: int = 0
    code: str = ""
    """Kebab-case name of the error, such as host-busy; empty without one."""


@dataclass(frozen=True)
class RunRequest:
    """Do the steps of a job on one host."""

    fleet: str
    host: str
    id: str
    issue: int
    """Grows when a person asks for the same run again; what was issued before is then void."""
    job: str
    steps: Tuple[Wanted, ...]
    token: int = 0
    user: str = ""
    """Who runs its commands; empty: whoever runs this."""
    timeout_seconds: float = 600.0
    begin_seconds: float = 0.0
    """Within that time it has to begin to act, since after it it may be someone else's; 0: at any time."""
    retries: int = 0
    on_lost: str = "fail"
    exclusive: bool = True
    """It changes resources, so nothing else may at the same time."""
    late: bool = False
    """The time in which it was to begin is over: it is only gone on with."""
    withdrawn: bool = False
    """It was cancelled, and who carried it out is gone: what it left is ended, and no more."""
    forget_at: float = 0.0
    """Unix seconds from which on nobody can ask for it again."""
    secrets: Tuple[str, ...] = field(default=(), repr=False)
    """Clear texts to mask in everything that is told; never stored."""


@dataclass(frozen=True)
class OutputEvent:
    """A program of a run printed something."""

    text: str


@dataclass(frozen=True)
class RebootEvent:
    """The host is about to restart; it must be back within that time."""

    timeout_seconds: float


@dataclass(frozen=True)
class RunFinished:
    """The last event of a run."""

    status: str
    """succeeded, failed, cancelled, lost (to another executor), rebooting."""
    tries: int = 0
    """How often it was begun, this time included; executors lost on the way do not count."""
    exit_code: Optional[int] = None
    """Of the command that failed; negative: ended by that signal."""
    error: str = ""
    hint: str = ""
    code: str = ""
    """Kebab-case name of the error, such as command-failed; empty without one."""
    changed: int = 0
    left: int = 0
    """Processes that it left behind and that were ended."""
    repeated: bool = False
    """It ended before, and this is what came of it then: nothing was done now."""


Event = Union[ResourceEvent, HealthEvent, Finished]
"""Of an app that is applied or looked at."""

RunEvent = Union[ResourceEvent, OutputEvent, RebootEvent, RunFinished]
"""Of a run of a job."""

_EVENTS: Mapping[str, Any] = {
    "resource": ResourceEvent,
    "health": HealthEvent,
    "finished": Finished,
    "output": OutputEvent,
    "reboot": RebootEvent,
    "run-finished": RunFinished,
}
_NAMES = {kind: name for name, kind in _EVENTS.items()}


def request_to_json(request: Request) -> Mapping[str, Any]:
    """The request as plain JSON values."""
    return asdict(request)


def request_from_json(message: Mapping[str, Any]) -> Request:
    """The inverse of request_to_json."""
    values = dict(message)
    values["resources"] = tuple(Wanted(**wanted) for wanted in values.get("resources", ()))
    for name in ("health", "formerly", "secrets"):
        values[name] = tuple(values.get(name, ()))
    return Request(**values)


def run_to_json(request: RunRequest) -> Mapping[str, Any]:
    """The request as plain JSON values."""
    return asdict(request)


def run_from_json(message: Mapping[str, Any]) -> RunRequest:
    """The inverse of run_to_json."""
    values = dict(message)
    values["steps"] = tuple(Wanted(**wanted) for wanted in values["steps"])
    values["secrets"] = tuple(values.get("secrets", ()))
    return RunRequest(**values)


def event_to_json(event: Union[Event, RunEvent]) -> Mapping[str, Any]:
    """The event as plain JSON values, with its type under `event`."""
    return {"event": _NAMES[type(event)], **asdict(event)}


def event_from_json(message: Mapping[str, Any]) -> Event:
    """The inverse of event_to_json."""
    event: Event = _event(message)
    return event


def run_event_from_json(message: Mapping[str, Any]) -> RunEvent:
    """The inverse of event_to_json."""
    event: RunEvent = _event(message)
    return event


def _event(message: Mapping[str, Any]) -> Any:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in message.items()}
    return _EVENTS[str(values.pop("event"))](**values)
