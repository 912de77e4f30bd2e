"""Small fleets for tests: manifests written as calls, and what hosts look like after an apply."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from reconciler.errors import Place
from reconciler.model.desired import Desired
from reconciler.model.manifests import App, Block, Fleet, Group, Host, Manifests, ResourceTemplate
from reconciler.model.metadata import Metadata, Origin, Path
from reconciler.model.observed import Applied, AppStatus, ObservedApp, ObservedHost
from reconciler.model.plan import Plan
from reconciler.model.selector import EVERYTHING, Selector
from reconciler.planner.compose import Composer
from reconciler.planner.diff import diff
from reconciler.planner.inputs import PlanInput
from reconciler.planner.scope import Scope

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def host(name: str, labels: Mapping[str, str] | None = None, **fields: Any) -> Host:
    """A host in manifests/hosts.yaml."""
    former = fields.pop("formerly", ())
    metadata = Metadata(name, Origin(f"manifests/hosts/{name}.yaml", 0), labels or {}, former)
    return Host(metadata, **({"address": f"{name}.example"} | fields))


def group(name: str, hosts: str = "*", **fields: Any) -> Group:
    """A group for the hosts that a selector picks."""
    metadata = Metadata(name, Origin(f"manifests/groups/{name}.yaml", 0))
    return Group(metadata, Selector.parse(hosts), **fields)


def app(name: str, *resources: Mapping[str, Any], hosts: str = "*", **fields: Any) -> App:
    """An app with resources as they stand in a manifest: `{"file": {...}, "name": "site"}`."""
    metadata = Metadata(name, Origin(f"manifests/apps/{name}.yaml", 0), formerly=fields.pop("formerly", ()))
    nodes = tuple(node(item, ("spec", "resources", index)) for index, item in enumerate(resources))
    selector = EVERYTHING if hosts == "*" else Selector.parse(hosts)
    return App(metadata, selector, nodes, **fields)


def node(item: Mapping[str, Any], path: Path) -> ResourceTemplate | Block:
    """A resource, or a block: `{"block": {"resources": [...]}}`."""
    beside = {"name", "when", "forEach", "keep"}
    (kind,) = item.keys() - beside
    if kind == "block":
        inside = item["block"]
        below = (*path, "block", "resources")
        nodes = tuple(node(each, (*below, index)) for index, each in enumerate(inside["resources"]))
        return Block(nodes, path, inside.get("when"), inside.get("forEach"))
    return ResourceTemplate(
        kind, item[kind], path, item.get("name"), item.get("when"), item.get("forEach"), item.get("keep", False)
    )


def file(path: str, content: str = "text\n", **beside: Any) -> Mapping[str, Any]:
    """A file with its text in the manifest."""
    return {"file": {"path": path, "content": content}, **beside}


def manifests(*things: Host | Group | App, templates: Mapping[str, str] | None = None) -> Manifests:
    """A revision's manifests, each kind in name order."""
    by_kind: dict[type, dict[str, Any]] = {Host: {}, Group: {}, App: {}}
    for thing in sorted(things, key=lambda each: each.metadata.name):
        by_kind[type(thing)][thing.metadata.name] = thing
    fleet = Fleet(Metadata("test", Origin("manifests/fleet.yaml", 0)))
    return Manifests(fleet, by_kind[Host], by_kind[Group], by_kind[App], templates=templates or {})


def locate(origin: Origin, path: Path) -> Place:
    """Instead of a line, the path itself: it stands behind a `#` in the file's name."""
    return Place(file=f"{origin.file}#{'.'.join(map(str, path))}")


def compose(declared: Manifests, facts: Mapping[str, Mapping[str, Any] | None] | None = None) -> Desired:
    """The desired state, composed from nothing."""
    return Composer().compose(declared, "r1", facts or {}, locate)


class World:
    """Hosts that are always applied to without fail, as the planner hears of them."""

    def __init__(self) -> None:
        self.composer = Composer()
        self.observed: dict[str, ObservedHost] = {}
        self.applied: dict[tuple[str, str], Applied] = {}
        self.bundles: dict[str, Any] = {}
        self.secrets: dict[tuple[str, str], str] | None = {}

    def desired(self, declared: Manifests) -> Desired:
        """Composed on top of the last time."""
        facts = {name: known.facts for name, known in self.observed.items()}
        return self.composer.compose(declared, "r1", facts, locate)

    def plan(self, declared: Manifests, *, scope: Scope | None = None, now: datetime = NOW, **changed: Any) -> Plan:
        """What an apply of these manifests would do."""
        return diff(self.given(declared, scope=scope, now=now, **changed), self.composer.renderer)

    def given(
        self, declared: Manifests, *, scope: Scope | None = None, now: datetime = NOW, **changed: Any
    ) -> PlanInput:
        """All that a plan of these manifests rests on."""
        given = PlanInput(
            manifests=declared,
            desired=self.desired(declared),
            observed=self.observed,
            applied=self.applied,
            bundles=self.bundles,
            secrets=self.secrets,
            looks={},
            now=now,
            scope=scope or Scope(),
        )
        return replace(given, **changed)

    def apply(self, declared: Manifests) -> None:
        """Bring all hosts to what the manifests want, with nothing left behind."""
        desired = self.desired(declared)
        self.bundles |= desired.bundles
        for name, apps in desired.hosts.items():
            facts = self.observed[name].facts if name in self.observed else None
            known: dict[str, ObservedApp] = {}
            for app_name, wanted in apps.items():
                rendered = self.composer.renderer(desired.bundles[wanted.bundle]).render(json.loads(wanted.values))
                prints = {resource.id: resource.fingerprint for resource in rendered.resources}
                self.applied[name, app_name] = Applied(wanted.bundle, wanted.values, prints)
                print_now = (self.secrets or {}).get((name, app_name), "")
                known[app_name] = ObservedApp(1, wanted.digest, AppStatus.CONVERGED, secrets=print_now)
            self.observed[name] = ObservedHost(known, facts)
        self.applied = {pair: form for pair, form in self.applied.items() if pair[1] in self._known(pair[0])}

    def see(self, host: str, **changed: Any) -> None:
        """Change what is known of a host."""
        self.observed[host] = replace(self.observed[host], **changed)

    def see_app(self, host: str, app: str, **changed: Any) -> None:
        """Change what is known of an app on a host."""
        apps = self.observed[host].apps
        self.see(host, apps={**apps, app: replace(apps[app], **changed)})

    def _known(self, host: str) -> Iterable[str]:
        return self.observed[host].apps if host in self.observed else ()
