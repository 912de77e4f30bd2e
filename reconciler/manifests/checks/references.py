"""What a document names must exist: apps that it depends on or selects by, files below templates/."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.manifests.findings import Finding, did_you_mean
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.metadata import Path
from reconciler.model.selector import Selector


def dependencies(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Apps in dependsOn exist."""
    for document in index.documents["App"].values():
        for position, dependency in enumerate(document.value.depends_on):
            if not index.may_exist("App", dependency.app):
                path = ("spec", "dependsOn", position, "app")
                message = f'dependsOn names no app "{dependency.app}"'
                yield document, Finding(path, message, did_you_mean(dependency.app, index.apps), "unknown-app")


def selected_apps(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Apps that selectors speak of exist."""
    for document, path, selector in selectors(index):
        for app in sorted(selector.apps):
            if not index.may_exist("App", app):
                message = f'{selector} names no app "{app}"'
                yield document, Finding(path, message, did_you_mean(app, index.apps), "unknown-app")


def template_files(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Files below templates/ that documents name exist and are text."""
    for kind in ("App", "Job", "Channel"):
        for document in index.documents[kind].values():
            for path, name in document.claims.templates:
                if name in index.unusable:
                    yield document, Finding(path, f"templates/{name} {index.unusable[name]}", "", "unusable-template")
                elif name not in index.templates:
                    hint = did_you_mean(name, index.templates)
                    yield document, Finding(path, f"templates/{name} does not exist", hint, "template-missing")


def selectors(index: Index) -> Iterator[tuple[Document, Path, Selector]]:
    """All selectors of hosts, with the place where they stand."""
    for kind in ("Group", "App", "Schedule", "Freeze", "Alert"):
        for document in index.documents[kind].values():
            if document.value.hosts is not None:
                yield document, ("spec", "hosts"), document.value.hosts
            rollout = getattr(document.value, "rollout", None)
            for position, step in enumerate(rollout.steps if rollout else ()):
                if step.hosts is not None:
                    yield document, ("spec", "rollout", "steps", position, "hosts"), step.hosts
