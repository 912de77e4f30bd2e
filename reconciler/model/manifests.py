"""Manifests as the rest of the program sees them: parsed, checked, frozen; made by the manifests room.

Text that may hold `{{ ... }}` stays text here. A map with the single key `secret` is a secret's reference.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.model.metadata import Metadata, Path, Value
from reconciler.model.monitoring import Alert, Channel, Silence
from reconciler.model.schedules import Freeze, Schedule
from reconciler.model.selector import EVERYTHING, Selector
from reconciler.resources.values import dataclass, field


class ConnectionType(enum.Enum):
    """How an executor reaches a host."""

    SSH = "ssh"
    AGENT = "agent"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a host; None means: not set here, take it from a group or the default."""

    type: ConnectionType | None = None
    user: str | None = None
    port: int | None = None
    become: bool | None = None
    proxy_jump: str | None = None
    host_key: str | None = None
    sealing_key: str | None = None
    """Of an agent: the key that its host's secrets are sealed to, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A host that people work on until a moment; with `drain` it gets no work."""

    until: datetime
    reason: str
    drain: bool = True


class Lifecycle(enum.Enum):
    """Whether a host is in service or being emptied before it leaves."""

    ACTIVE = "active"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Guard:
    """How many deletes a plan may hold: more than both limits is refused."""

    delete_percent: int = 20
    delete_count: int = 10


@dataclass(frozen=True, slots=True)
class Fleet:
    """Settings of the whole fleet; there is exactly one."""

    metadata: Metadata
    guard: Guard = Guard()
    sample_interval_seconds: float = 5.0
    retention_raw_seconds: float = 86_400.0
    retention_rollup_seconds: float = 30 * 86_400.0
    retention_metrics: tuple[str, ...] | None = None
    stale_source_seconds: float = 900.0
    dead_man: Value = None


@dataclass(frozen=True, slots=True)
class Host:
    """One machine."""

    metadata: Metadata
    address: str
    connection: Connection = Connection()
    sandbox_root: str | None = None
    config: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    vars: Mapping[str, Value] = field(default_factory=dict)
    maintenance: Maintenance | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def labels(self) -> Mapping[str, str]:
        return self.metadata.labels


@dataclass(frozen=True, slots=True)
class Group:
    """Values for the hosts that a selector picks; a higher priority wins."""

    metadata: Metadata
    hosts: Selector
    priority: int = 0
    connection: Connection = Connection()
    config: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    vars: Mapping[str, Value] = field(default_factory=dict)


class Sync(enum.Enum):
    """Whether changes of an app go out by themselves or wait for `approve`."""

    AUTO = "auto"
    MANUAL = "manual"


class DriftPolicy(enum.Enum):
    """What happens when a host no longer looks as it was left."""

    HEAL = "heal"
    REPORT = "report"
    IGNORE = "ignore"


class PrunePolicy(enum.Enum):
    """What happens to things that left the manifests."""

    TRUE = "true"
    FALSE = "false"
    ALL = "all"


class AdoptPolicy(enum.Enum):
    """What happens to things that exist, differ and are not ours."""

    REFUSE = "refuse"
    REPLACE = "replace"


class FailurePolicy(enum.Enum):
    """What happens when an apply or a rollout fails."""

    ROLLBACK = "rollback"
    STOP = "stop"


class Require(enum.Enum):
    """Whether a dependency must be healthy on all agreeing hosts or on any of them."""

    ALL = "all"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Dependency:
    """An app that must be healthy first, on the hosts that agree in `same_labels`."""

    app: str
    same_labels: tuple[str, ...] = ()
    require: Require = Require.ALL


def names_text(kind: str, field: str, value: Value) -> bool:
    """Whether this field of a resource names a file below templates/, whose text then counts."""
    if kind == "repository" and field == "key":
        literal = isinstance(value, str) and "{{" not in value
        return literal and not str(value).startswith("/") and "-----BEGIN" not in str(value)
    return kind == "file" and field in {"template", "source"} and value is not None


@dataclass(frozen=True, slots=True)
class ResourceTemplate:
    """One resource of an app before rendering. `fields` keeps the manifest's own (camelCase) names."""

    kind: str
    fields: Mapping[str, Value]
    path: Path
    """Where it stands in its document."""
    name: str | None = None
    when: str | None = None
    for_each: Value = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Several resources under one condition or loop."""

    resources: tuple[ResourceTemplate | Block, ...]
    path: Path
    when: str | None = None
    for_each: Value = None


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step of a rollout: hosts by selector, or a batch as a count or a percentage."""

    hosts: Selector | None = None
    batch: str | None = None
    min_healthy_seconds: float = 0.0
    gate: str | None = None
    approve: bool = False
    spread: str | None = None


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a change of an app goes through its hosts."""

    steps: tuple[RolloutStep, ...]
    max_unavailable: str = "1"
    healthy_deadline_seconds: float = 300.0
    failure_budget: int = 0
    on_failure: FailurePolicy = FailurePolicy.ROLLBACK


@dataclass(frozen=True, slots=True)
class AppMetric:
    """A metric of an app's own: from a command, a URL or a textfile."""

    name: str
    command: tuple[str, ...] | None = None
    url: str | None = None
    textfile: str | None = None
    interval_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class App:
    """Something that runs on hosts: its values, its resources and how it is looked after."""

    metadata: Metadata
    hosts: Selector
    resources: tuple[ResourceTemplate | Block, ...]
    allow_empty: bool = False
    depends_on: tuple[Dependency, ...] = ()
    config: Mapping[str, Value] = field(default_factory=dict)
    health: tuple[Mapping[str, Value], ...] = ()
    metrics: tuple[AppMetric, ...] = ()
    rollout: Rollout | None = None
    sync: Sync = Sync.AUTO
    drift: DriftPolicy = DriftPolicy.HEAL
    verify_every_seconds: float = 300.0
    prune: PrunePolicy = PrunePolicy.TRUE
    adopt: AdoptPolicy = AdoptPolicy.REFUSE
    on_failure: FailurePolicy = FailurePolicy.ROLLBACK
    confirm_seconds: float | None = None
    steps: bool = False
    """Its resources are the steps of a job: done in order, and not owned, so that one may come twice."""

    @property
    def name(self) -> str:
        return self.metadata.name

    def each_resource(self) -> Iterator[ResourceTemplate]:
        """All resources in declared order, blocks opened."""
        yield from _each(self.resources)


def _each(nodes: tuple[ResourceTemplate | Block, ...]) -> Iterator[ResourceTemplate]:
    for node in nodes:
        if isinstance(node, Block):
            yield from _each(node.resources)
        else:
            yield node


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that a job takes."""

    name: str
    type: str = "string"
    default: Value = None
    required: bool = False
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Steps to run at a time, on a condition or by hand."""

    metadata: Metadata
    steps: tuple[ResourceTemplate | Block, ...]
    params: tuple[Parameter, ...] = ()
    user: str = "root"
    lock: str = "none"
    timeout_seconds: float = 600.0
    retries: int = 0
    on_lost: str = "fail"


@dataclass(frozen=True, slots=True)
class Manifests:
    """Everything that a revision declares, by kind and name (in name order)."""

    fleet: Fleet
    hosts: Mapping[str, Host]
    groups: Mapping[str, Group]
    apps: Mapping[str, App]
    jobs: Mapping[str, Job] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    freezes: Mapping[str, Freeze] = field(default_factory=dict)
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    silences: Mapping[str, Silence] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    """Texts below `templates/`, by their path below it."""

    def select(self, selector: Selector = EVERYTHING) -> tuple[str, ...]:
        """Names of the hosts that a selector picks, sorted; `app=NAME` holds where that app is placed."""
        apps = {name: frozenset(self.select(self.apps[name].hosts)) for name in selector.apps if name in self.apps}
        return tuple(
            host.name
            for host in self.hosts.values()
            if selector.matches(host.name, host.labels, [app for app, placed in apps.items() if host.name in placed])
        )
