"""Where apps run: selectors that match nothing, apps in a circle, what a sandbox host cannot have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import normpath

from reconciler.manifests.checks.references import selectors
from reconciler.manifests.findings import Finding, did_you_mean, some
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.selector import Operator, Requirement, Selector


def empty_selectors(index: Index) -> Iterator[tuple[Document, Finding]]:
    """A selector matches some host, and a rollout's step some host of the app."""
    if not index.certain("Host"):
        return
    for document, path, selector in selectors(index):
        if document.claims.allow_empty or not all(index.may_exist("App", app) for app in selector.apps):
            continue
        hosts = index.select(selector)
        if not hosts:
            message = f"{selector} matches no host; {_why_empty(index, selector)}"
            yield document, Finding(path, message, "Intended? allowEmpty: true", "empty-selector")
        elif "rollout" in path and index.placed(document.name) and not hosts & index.placed(document.name):
            message = f"{selector} matches no host of {document.name}"
            yield document, Finding(path, message, "Intended? allowEmpty: true", "empty-selector")


def _why_empty(index: Index, selector: Selector) -> str:
    if not index.hosts:
        return "there are no hosts"
    for requirement in selector.requirements:
        if not index.select(Selector((requirement,))):
            return _why_nothing_holds(index, requirement)
    return "no host fulfils all of it"


def _why_nothing_holds(index: Index, requirement: Requirement) -> str:
    key = requirement.key
    if key == "name":
        return f"hosts are {some(index.hosts)}"
    if key == "app":
        return f"{some(requirement.values)} runs nowhere"
    if key not in index.labels:
        return f"no host has a label {key}. {did_you_mean(key, index.labels)}".removesuffix(". ")
    if requirement.operator in {Operator.ABSENT, Operator.NOT_IN}:
        return f"every host has {key}"
    plural = key if key.endswith("s") else f"{key}s"
    return f"{plural} are {some(sorted(index.labels[key]))}"


def sandbox_limits(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Sandbox hosts get files only: what means the machine itself is excluded by a condition, or it is an error."""
    for document in index.documents["App"].values():
        if not document.claims.unsandboxed:
            continue
        hosts = sorted(index.placed(document.name) & index.sandboxes)
        for path, what in document.claims.unsandboxed if hosts else ():
            message = f"sandbox host {hosts[0]} cannot have {what}"
            yield document, Finding(path, message, "Exclude it there: when: not host.sandbox", "not-in-sandbox")


def shared_sandboxes(index: Index) -> Iterator[tuple[Document, Finding]]:
    """Each sandbox belongs to one host, is not the machine itself, and a relative one lies in the repository."""
    owners: dict[str, str] = {}
    for name in sorted(index.sandboxes):
        root = index.hosts[name].sandbox_root or ""
        document, path = index.documents["Host"][name], ("spec", "sandboxRoot")
        if root.startswith("/") and not normpath(root).strip("/"):
            finding = Finding(path, f"{root} is the machine itself", "Give it a directory of its own", "invalid-value")
            yield document, finding
        elif ".." in root.split("/"):
            finding = Finding(path, f"{root} leads out of where it starts", "Write an absolute path", "invalid-value")
            yield document, finding
        owner = owners.setdefault(normpath(root), name)
        if owner != name:
            hint = "Give each host a directory of its own"
            yield document, Finding(path, f"{root} is also the sandbox of {owner}", hint, "shared-sandbox")


def circles(index: Index) -> Iterator[tuple[Document, Finding]]:
    """No app waits for itself, by dependsOn, and none runs where it runs itself, by `app=` in selectors."""
    waits = {name: [dependency.app for dependency in app.depends_on] for name, app in index.apps.items()}
    for members in find_circles(waits):
        position = waits[members[0]].index(members[1])
        finding = Finding(
            ("spec", "dependsOn", position),
            f"apps wait for each other: {_arrows(members)}",
            "Remove one of them",
            "dependency-cycle",
        )
        yield index.documents["App"][members[0]], finding
    follows = {name: sorted(app.hosts.apps) for name, app in index.apps.items()}
    for members in find_circles(follows):
        message = f"apps select each other's hosts: {_arrows(members)}"
        finding = Finding(("spec", "hosts"), message, "Select by a label", "placement-cycle")
        yield index.documents["App"][members[0]], finding


def _arrows(members: Sequence[str]) -> str:
    return " -> ".join(members)


def find_circles(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Circles of a graph, each as its members in order with the first one again at the end; one per dead end.

    Leaves are taken off until only circles, and what leads into them, remain; walking from there must come back.
    """
    rest = {node: [target for target in targets if target in graph] for node, targets in graph.items()}
    found: list[list[str]] = []
    while rest:
        leaves = [node for node, targets in rest.items() if not targets]
        if not leaves:
            circle = _walk(rest)
            found.append(circle)
            leaves = circle[:-1]
        gone = set(leaves)
        rest = {node: [t for t in targets if t not in gone] for node, targets in rest.items() if node not in gone}
    return found


def _walk(rest: Mapping[str, Sequence[str]]) -> list[str]:
    """A circle in a graph where every node leads on, starting at its smallest member."""
    node = min(rest)
    seen: list[str] = []
    while node not in seen:
        seen.append(node)
        node = min(rest[node])
    circle = seen[seen.index(node) :]
    start = circle.index(min(circle))
    return [*circle[start:], *circle[: start + 1]]
