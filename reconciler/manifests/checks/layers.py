"""Values in layers: keys that an app does not declare, keys that nobody sets, groups that disagree, secrets in argv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

from reconciler.manifests.findings import Finding, did_you_mean, some
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.manifests import Group, Path

Slot: TypeAlias = tuple[str, ...]
"""A value that groups can set: ("config", APP, KEY), ("vars", KEY) or ("connection", FIELD)."""


def config_keys(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Groups and hosts set only what apps declare."""
    for kind in ("Group", "Host"):
        for document in index.documents[kind].values():
            config = document.value.config
            if config:
                yield from ((document, finding) for finding in _undeclared(index, config))


def _undeclared(index: Index, config: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    for app, values in config.items():
        path = ("spec", "config", app)
        declared = index.apps.get(app)
        if declared is None:
            if not index.may_exist("App", app):
                yield Finding(path, f'no app "{app}"', did_you_mean(app, index.apps), "unknown-app", key=True)
            continue
        for key in values:
            if key not in declared.config:
                hint = did_you_mean(key, declared.config) or "It declares none"
                yield Finding((*path, key), f'{app} has no config "{key}"', hint, "unknown-config-key", key=True)


def unset_keys(index: Index) -> Iterator[tuple[Document, Finding]]:
    """A key that an app leaves null is set for every host that it runs on."""
    if not (index.certain("Host") and index.certain("Group")):
        return
    for name, app in index.apps.items():
        for key, value in app.config.items():
            if value is not None:
                continue
            unset = sorted(_without(index, name, key))
            if unset:
                message = f"{key} is set nowhere for {some(unset, 3)}"
                hint = f"Set config.{name}.{key} in the host or in a group"
                yield (
                    index.documents["App"][name],
                    Finding(("spec", "config", key), message, hint, "unset-config-key", key=True),
                )


def _without(index: Index, app: str, key: str) -> frozenset[str]:
    """Hosts of an app for which no layer gives a key a value."""
    left = index.placed(app)
    for group in index.groups.values():
        if group.config.get(app, {}).get(key) is not None:
            left -= index.select(group.hosts)
    return frozenset(name for name in left if index.hosts[name].config.get(app, {}).get(key) is None)


def group_disagreements(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Groups of equal priority do not give one host two values."""
    setters: dict[tuple[int, Slot], list[tuple[Group, Any]]] = {}
    for group in index.groups.values():
        for slot, value in _slots(group):
            setters.setdefault((group.priority, slot), []).append((group, value))
    for (_, slot), groups in setters.items():
        if len(groups) > 1:
            yield from _disagreements(index, slot, groups)


def _slots(group: Group) -> Iterator[tuple[Slot, Any]]:
    for app, values in group.config.items():
        for key, value in values.items():
            yield ("config", app, key), value
    for key, value in group.vars.items():
        yield ("vars", key), value
    for field in fields(group.connection):
        value = getattr(group.connection, field.name)
        if value is not None:
            yield ("connection", field.name), value


def _disagreements(index: Index, slot: Slot, groups: list[tuple[Group, Any]]) -> Iterator[tuple[Document, Finding]]:
    """Linear in the hosts of the groups: each host remembers the first group that set the value."""
    first: dict[str, tuple[Group, Any]] = {}
    for group, value in groups:
        for host in sorted(index.select(group.hosts)):
            other, its = first.setdefault(host, (group, value))
            if other is not group and _differ(value, its):
                name = other.metadata.name
                message = f"{'.'.join(slot)} differs from group {name}, which has the same priority and holds {host}"
                path: Path = ("spec", *slot)
                hint = "Give one of them a higher priority"
                yield (
                    index.documents["Group"][group.metadata.name],
                    Finding(path, message, hint, "groups-disagree", key=True),
                )
                break


def _differ(value: Any, other: Any) -> bool:
    """Maps merge, so they differ only where both have a key; everything else is replaced."""
    if isinstance(value, dict) and isinstance(other, dict) and "secret" not in {*value, *other}:
        return any(_differ(inner, other[key]) for key, inner in value.items() if key in other)
    return type(value) is not type(other) or bool(value != other)


def secrets_in_argv(index: Index) -> Iterator[tuple[Document, Finding]]:
    """No command line of an app reads a value that is a secret in any layer."""
    for name, app in index.apps.items():
        document = index.documents["App"][name]
        if not document.claims.argv:
            continue
        secret = set(_secret_keys(app.config))
        configs = [layer.config for kind in (index.groups, index.hosts) for layer in kind.values()]
        secret.update(*(_secret_keys(config[name]) for config in configs if name in config))
        for path, names in document.claims.argv:
            for key in sorted(names & secret):
                message = f"{key} is a secret, and in argv every user of the host can see it"
                yield document, Finding(path, message, "Use env or stdin", "secret-in-argv")


def _secret_keys(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key for key, value in values.items() if _holds_secret(value))


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return (len(value) == 1 and "secret" in value) or any(_holds_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_holds_secret(inner) for inner in value)
