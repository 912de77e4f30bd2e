"""Where everything about an app on a host comes from: each value with every layer that set it, and why it is due.

Called by `reconcile explain` and the web page of a host. Lines in files are found by the caller, from origin and path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from reconciler.errors import InvalidInput
from reconciler.model.desired import Desired
from reconciler.model.manifests import Dependency, Lifecycle, Manifests
from reconciler.model.metadata import Origin, Path, Value
from reconciler.planner.config import Layer, config_layers, secret_path, vars_layers
from reconciler.planner.due import Due, why_due
from reconciler.planner.held import held_back
from reconciler.planner.inputs import PlanInput
from reconciler.planner.past import Past
from reconciler.planner.placement import Placement
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A layer's say in one value."""

    source: str
    """`App webapp`, `Group web (priority 10)`, `Host web-1`."""
    value: Value
    origin: Origin
    path: Path


@dataclass(frozen=True, slots=True)
class ExplainedValue:
    """One value and all layers that set it, lowest first: the last one won."""

    name: str
    """Keys joined by dots, such as `tls.certificate`."""
    settings: tuple[Setting, ...]

    @property
    def winner(self) -> Setting:
        return self.settings[-1]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one app on one host."""

    host: str
    app: str
    placed_by: str
    """The app's selector, which picked the host."""
    groups: tuple[str, ...]
    """Groups of the host, in ascending order of priority."""
    config: tuple[ExplainedValue, ...]
    vars: tuple[ExplainedValue, ...]
    depends_on: tuple[Dependency, ...]
    needed_by: tuple[str, ...]
    bundle: str
    digest: str
    values: str
    """Canonical JSON of what the app reads, evaluated; what the digest is of."""
    secrets: tuple[str, ...]
    due: Due | None = None
    """Why an apply has something to do; None where it has not."""
    held: str = ""
    """What keeps it from being applied all the same."""


def explain(given: PlanInput, host: str, app: str) -> Explanation:
    """Where everything about the app on the host comes from, and why it is due. Needs neither long forms nor looks.

    Raises:
        InvalidInput: there is no such host, no such app, or it does not run there.
    """
    manifests, desired = given.manifests, given.desired
    wanted = desired.hosts.get(host, {}).get(app)
    if wanted is None:
        raise _not_there(manifests, desired, host, app)
    machine, definition = manifests.hosts[host], manifests.apps[app]
    names = Placement.of(manifests).standing(machine).groups
    groups = [manifests.groups[name] for name in names]
    past = Past(desired, given.observed)
    return Explanation(
        host=host,
        app=app,
        placed_by=str(definition.hosts),
        groups=names,
        config=_explained(config_layers(definition, groups, machine)),
        vars=_explained(vars_layers(groups, machine)),
        depends_on=definition.depends_on,
        needed_by=tuple(sorted(_needing(manifests, app))),
        bundle=wanted.bundle,
        digest=wanted.digest,
        values=wanted.values,
        secrets=wanted.secrets,
        due=why_due(wanted, past.app(host, app), given.secrets),
        held=held_back(given, past, host, app),
    )


def _explained(layers: Sequence[Layer]) -> tuple[ExplainedValue, ...]:
    found: dict[str, list[Setting]] = {}
    for layer in layers:
        for path, value in _leaves(layer.values, ()):
            name = ".".join(path)
            covered = [other for other in found if other.startswith(f"{name}.") or name.startswith(f"{other}.")]
            for other in covered:
                del found[other]
            setting = Setting(layer.source, value, layer.origin, (*layer.path, *path))
            found.setdefault(name, []).append(setting)
    return tuple(ExplainedValue(name, tuple(found[name])) for name in sorted(found))


def _leaves(values: Mapping[str, Value], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Values that replace as a whole; maps merge, so they are opened."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value and secret_path(value) is None:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key), value


def _needing(manifests: Manifests, app: str) -> Iterator[str]:
    for other in manifests.apps.values():
        if any(need.app == app for need in other.depends_on):
            yield other.name


def _not_there(manifests: Manifests, desired: Desired, host: str, app: str) -> InvalidInput:
    if host not in manifests.hosts:
        return InvalidInput.of("unknown-name", f"there is no host {host}")
    if app not in manifests.apps:
        return InvalidInput.of("no-such-app", f"there is no app {app}")
    here = ", ".join(sorted(desired.hosts.get(host, {}))) or "no app"
    retiring = manifests.hosts[host].lifecycle is Lifecycle.RETIRE
    hint = "The host is being retired." if retiring else f"It runs where {manifests.apps[app].hosts}."
    return InvalidInput.of("not-placed", f"{app} does not run on {host}, which runs {here}", hint=hint)
