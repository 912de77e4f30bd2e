"""Values in layers: keys that an app does not declare, groups that disagree on how to connect, secrets in argv.

What the layers come to is the planner's: there values are merged anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.manifests import Group
from reconciler.resources.values import fields

_LOOKS_BOOLEAN = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""Words that other YAML readers take for booleans."""


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
            elif isinstance(declared.config[key], bool) and str(values[key]).lower() in _LOOKS_BOOLEAN:
                hint = f"Write {_LOOKS_BOOLEAN[values[key].lower()]}"
                yield Finding((*path, key), f'"{values[key]}" is text, and {key} is a boolean', hint, "invalid-value")


def connection_conflicts(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Groups of equal priority do not reach one host in two ways. Their values are compared when they are composed."""
    setters: dict[tuple[int, str], list[tuple[Group, Any]]] = {}
    for group in index.groups.values():
        for field in fields(group.connection):
            value = getattr(group.connection, field.name)
            if value is not None:
                setters.setdefault((group.priority, field.name), []).append((group, value))
    for (_, name), groups in setters.items():
        if len(groups) > 1:
            yield from _conflicts(index, name, groups)


def _conflicts(index: Index, name: str, groups: list[tuple[Group, Any]]) -> Iterator[tuple[Document, Finding]]:
    """Linear in the hosts of the groups: each host remembers the first group that set the value."""
    first: dict[str, tuple[Group, Any]] = {}
    for group, value in groups:
        for host in sorted(index.select(group.hosts)):
            other, its = first.setdefault(host, (group, value))
            if other is not group and value != its:
                message = f"Group {other.metadata.name} and Group {group.metadata.name} disagree on {name}, "
                finding = Finding(
                    ("spec", "connection", name),
                    f"{message}for example on {host}",
                    "Give one of them a higher priority",
                    "group-conflict",
                    key=True,
                )
                yield index.documents["Group"][group.metadata.name], finding
                break


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
                own = {"argv", "unless", "onlyIf"} & set(path)
                hint = "Use env or stdin" if own else "Keep it in a file that only its reader can read"
                yield document, Finding(path, message, hint, "secret-in-argv")


def _secret_keys(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key for key, value in values.items() if _holds_secret(value))


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return (len(value) == 1 and "secret" in value) or any(_holds_secret(inner) for inner in value.values())
    return isinstance(value, list) and any(_holds_secret(inner) for inner in value)
