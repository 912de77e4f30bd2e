"""Renders the resources of a bundle for hosts; most of its work is to remember what it rendered before.

Called by the planner, which plans the same templates for thousands of hosts, and by executors, which know the secrets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from types import CodeType
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.model.desired import Bundle
from reconciler.model.manifests import Path
from reconciler.rendering.compiled import Compiled, compile_template
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.expansion import Expansion, View
from reconciler.rendering.faults import Fault, RenderFailed, fault
from reconciler.rendering.outline import Node, health_texts, nodes_of, reads_of, values_in, without_when
from reconciler.rendering.reads import ABSENT, ReadPath, look_up, pick, shortest
from reconciler.rendering.rendered import Rendered, RenderedResource
from reconciler.rendering.scope import Scope
from reconciler.rendering.secret import NotKnown, secrets_in
from reconciler.rendering.trouble import Trouble, Troubled

MEMO_SIZE = 20_000
"""Renderings of a node that are remembered, per bundle."""
LIMIT = "template-limit"
_WHOLE, _HEALTH = -2, -1
"""In the place of a node's index, in keys of the memory."""


class Renderer:
    """Renders one bundle. Opaque renderings are remembered by the values that they read."""

    def __init__(self, bundle: Bundle) -> None:
        content = bundle.content
        self._app: str = content["app"]
        self._templates: Mapping[str, str] = content.get("templates", {})
        self._health: list[Any] = content.get("health", [])
        self._nodes = nodes_of(content.get("resources", []), ("resources",), self._templates)
        self._sandbox = Sandbox({name: functools.partial(_code, name, text) for name, text in self._templates.items()})
        self._memo: dict[Any, Any] = {}
        self._reads = [tuple(sorted(reads_of(node.each_text()))) for node in self._nodes]
        self._named = [*(secrets_in(node.raw) for node in self._nodes), secrets_in(self._health)]
        self._health_reads = tuple(sorted(reads_of(health_texts(self._health))))
        self.reads: frozenset[ReadPath] = shortest(
            path for paths in (*self._reads, self._health_reads) for path in paths
        )
        """Every path of the values that anything in the bundle reads."""
        self._all_reads = tuple(sorted(self.reads))

    def host_selectors(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Texts of the selectors that `hosts(...)` is called with, sorted.

        Raises:
            RenderFailed: one depends on a loop, on facts, on a secret or on something undefined.
        """
        texts: set[str] = set()
        faults: list[Fault] = []
        for path, compiled in self._selectors:
            scope = self._scope(pick(values, compiled.reading.reads), values, (), None)
            try:
                texts.add(str(scope.compiled_value(compiled)))
            except NotKnown as error:
                faults.append(
                    self._fault(path, Trouble(compiled.name, 0, "hosts-selector", f"hosts(...) {error}"), values, "")
                )
            except Troubled as error:
                faults += [self._fault(path, trouble, values, "") for trouble in error.troubles]
        if faults:
            raise RenderFailed(faults)
        return tuple(sorted(texts))

    @functools.cached_property
    def _selectors(self) -> tuple[tuple[Path, Compiled], ...]:
        """The arguments of all `hosts(...)`, with the place in the bundle that leads to them."""
        places = [(node.path, text) for top in self._nodes for node in top.each() for text in node.texts]
        places += [(("health",), text) for text in values_in(self._health)]
        return tuple((path, selector) for path, text in places for selector in text.selectors)

    def render(
        self,
        values: Mapping[str, Any],
        secrets: Mapping[str, str] | None = None,
        *,
        host: str = "",
        names: Collection[str] = (),
    ) -> Rendered:
        """Render the app for a host.

        Args:
            values: {"config", "vars", "host", "hosts", "facts"}; parts may be absent, `facts` None: not known.
            secrets: path -> clear text; None: secrets are only named. Fingerprints are the same either way.
            host: the host's name for messages, where the values do not hold it.
            names: names of the app's config for hints, where the values hold only some.

        Raises:
            RenderFailed: with all that is wrong.
        """
        key = (_WHOLE, *(_key(look_up(values, path)) for path in self._all_reads)) if secrets is None else None
        rendered: Rendered | None = self._memo.get(key) if key is not None else None
        if rendered is not None:
            return rendered
        rendered = self._rendered(values, secrets, host, names)
        if key is not None:
            self._remember(key, rendered)
        return rendered

    def _rendered(
        self, values: Mapping[str, Any], secrets: Mapping[str, str] | None, host: str, names: Collection[str]
    ) -> Rendered:
        resources: list[RenderedResource] = []
        faults: list[Fault] = []
        for index, reads in enumerate(self._reads):
            work = functools.partial(self._node, self._nodes[index], reads, values, names)
            found, troubles = self._remembered(index, reads, values, secrets, work)
            resources += found
            faults += [self._fault(path, trouble, values, host) for path, trouble in troubles]
            if _endless(troubles):
                raise RenderFailed(faults)
        checks = functools.partial(self._checks, values, names)
        health, troubles = self._remembered(_HEALTH, self._health_reads, values, secrets, checks)
        faults += [self._fault(path, trouble, values, host) for path, trouble in troubles]
        faults += self._twice(resources, values, host)
        if faults:
            raise RenderFailed(faults)
        return Rendered(tuple(resources), health)

    def _remembered(
        self,
        index: int,
        reads: tuple[ReadPath, ...],
        values: Mapping[str, Any],
        secrets: Mapping[str, str] | None,
        work: Callable[[Mapping[str, str] | None], Any],
    ) -> Any:
        """What some work gives, from memory where it was done with these values before. Clear text is never kept."""
        if secrets is not None and (self._named[index] or secrets_in(pick(values, reads))):
            return work(secrets)
        key = (index, *(_key(look_up(values, path)) for path in reads))
        if (known := self._memo.get(key)) is None:
            known = work(None)
            if known[1]:
                return known
            self._remember(key, known)
        return known

    def _remember(self, key: Any, known: Any) -> None:
        if len(self._memo) >= MEMO_SIZE:
            self._memo.clear()
        self._memo[key] = known

    def _node(
        self,
        node: Node,
        reads: Iterable[ReadPath],
        values: Mapping[str, Any],
        names: Collection[str],
        secrets: Mapping[str, str] | None,
    ) -> tuple[tuple[RenderedResource, ...], tuple[tuple[Path, Trouble], ...]]:
        expansion = self._expanded(node, pick(values, reads), values, names, secrets)
        if expansion.troubles and not _endless(expansion.troubles):
            expansion = self._expanded(node, values, values, names, secrets)  # hints name also what is not read
        return tuple(expansion.resources), tuple(expansion.troubles)

    def _expanded(
        self,
        node: Node,
        picked: Mapping[str, Any],
        values: Mapping[str, Any],
        names: Collection[str],
        secrets: Mapping[str, str] | None,
    ) -> Expansion:
        expansion = Expansion(self._templates, picked)
        expansion.add(node, self._view(picked, values, names, secrets))
        return expansion

    def _checks(
        self, values: Mapping[str, Any], names: Collection[str], secrets: Mapping[str, str] | None
    ) -> tuple[tuple[Mapping[str, Any], ...], tuple[tuple[Path, Trouble], ...]]:
        picked = pick(values, self._health_reads)
        expansion = Expansion(self._templates, picked)
        view = self._view(picked, values, names, secrets)
        outcomes = [
            expansion.value(without_when(check), ("health", index), decided)
            for index, check in enumerate(self._health)
            if (decided := expansion.decided(check.get("when"), ("health", index), view)) is not None
        ]
        known = tuple(outcome.shown for outcome in outcomes if not outcome.unknown)
        return known, tuple(expansion.troubles)

    def _view(
        self,
        picked: Mapping[str, Any],
        values: Mapping[str, Any],
        names: Collection[str],
        secrets: Mapping[str, str] | None,
    ) -> View:
        clear = None if secrets is None else self._scope(picked, values, names, secrets)
        return View(self._scope(picked, values, names, None), clear)

    def _scope(
        self,
        picked: Mapping[str, Any],
        values: Mapping[str, Any],
        names: Collection[str],
        secrets: Mapping[str, str] | None,
    ) -> Scope:
        suggested = frozenset(values.get("config") or ()) | frozenset(names)
        return Scope.of(self._sandbox, picked, suggested, secrets)

    def _fault(self, path: Path, trouble: Trouble, values: Mapping[str, Any], host: str) -> Fault:
        return fault(path, trouble, self._app, host or (values.get("host") or {}).get("name", ""))

    def _twice(self, resources: list[RenderedResource], values: Mapping[str, Any], host: str) -> list[Fault]:
        """Faults for resources that claim the same thing."""
        seen: dict[str, RenderedResource] = {}
        faults = []
        for resource in resources:
            if resource.unknown:
                continue
            if seen.setdefault(resource.id, resource) is not resource:
                trouble = Trouble("", 0, "duplicate-resource", f"{resource.id} is declared twice")
                faults.append(self._fault(resource.path, trouble, values, host))
        return faults


def _endless(troubles: Iterable[tuple[Path, Trouble]]) -> bool:
    return any(trouble.code == LIMIT for _, trouble in troubles)


def _key(value: Any) -> str | int | bytes | None:
    """A value as a key of the memory: equal keys exactly for equal values of equal types."""
    if type(value) is str or type(value) is int:
        return value
    return None if value is ABSENT else canonical(value)


def _code(name: str, text: str) -> CodeType:
    return compile_template(name, text).code
