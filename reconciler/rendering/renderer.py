"""Renders the resources of a bundle for hosts; most of its work is to remember what it rendered before.

Called by the planner, which plans the same templates for thousands of hosts, and by executors, which know the secrets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import CodeType
from typing import Any, TypeAlias

from reconciler.model.canonical import digest
from reconciler.model.desired import Bundle
from reconciler.model.metadata import Path
from reconciler.rendering.blanks import Looked, marked_json
from reconciler.rendering.compiled import Compiled, compile_template
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.expansion import MAX_ITEMS, Expansion, View, too_many
from reconciler.rendering.faults import Fault, RenderFailed, fault
from reconciler.rendering.moulds import Mould
from reconciler.rendering.outline import (
    Node,
    health_texts,
    led_to,
    nodes_of,
    reads_of,
    texts_for,
    values_in,
    without_when,
)
from reconciler.rendering.reads import ReadPath, pick, shortest
from reconciler.rendering.rendered import Form, Rendered, RenderedResource
from reconciler.rendering.scope import Scope
from reconciler.rendering.secret import NotKnown, secrets_in
from reconciler.rendering.sight import Blanked, Given, Looks, Sight
from reconciler.rendering.trouble import Trouble, Troubled
from reconciler.resources.values import dataclass, field

MEMORY_SIZE = 100_000
"""Moulds that are remembered, of all bundles together."""
MAX_WHOLE = 1_000
"""Moulds of a whole bundle that are kept; more would stand for few hosts each."""
LIMIT = "template-limit"
_LISTS = ("health", "metrics")
"""Lists of a bundle whose items are rendered and handed to the host as they are."""

Memory: TypeAlias = dict[Any, Any]
"""By what a node says, texts included: which values it looks at; by that and these values: its mould."""

_Troubles: TypeAlias = tuple[tuple[Path, Trouble], ...]
_NOTHING: Looks = frozenset()


@dataclass(frozen=True, eq=False)
class _Part:
    """A node, the health checks or the metrics."""

    raw: Any
    sight: int
    """Which of the renderer's sights it has."""
    templates: Mapping[str, str]
    """Name -> text of those that its texts lead to."""
    node: Node | None
    checks: str = ""
    """Without a node: `health` or `metrics`."""

    @functools.cached_property
    def identity(self) -> str:
        """By what it is remembered."""
        return digest([self.node.path if self.node else self.checks, self.raw, self.templates])

    @functools.cached_property
    def names_secrets(self) -> bool:
        """Whether it refers to secrets itself."""
        return bool(secrets_in(self.raw))


@dataclass(frozen=True, slots=True)
class _Whole:
    """The moulds of all parts of a bundle together."""

    views: tuple[tuple[int, Looks], ...] = ()
    """Numbers of sights, and what is looked at: what the keys are of, and the words."""
    moulds: dict[tuple[Any, ...], tuple[Mould, ...]] = field(default_factory=dict)
    """Resources, and each of `_LISTS`."""


class Renderer:
    """Renders one bundle. Opaque renderings are remembered by the values that they read.

    Args:
        memory: shared by the renderers of several bundles, so that an app with one changed template is rendered anew
            only where that template is used.
    """

    def __init__(self, bundle: Bundle, memory: Memory | None = None) -> None:
        content = bundle.content
        self._app: str = content["app"]
        self._repeats: bool = content.get("steps", False)
        self._templates: Mapping[str, str] = content.get("templates", {})
        self._lists: dict[str, list[Any]] = {name: content.get(name, []) for name in _LISTS}
        self._nodes = nodes_of(content.get("resources", []), ("resources",), self._templates)
        self._sandbox = Sandbox({name: functools.partial(_code, name, text) for name, text in self._templates.items()})
        self._memory: Memory = {} if memory is None else memory
        self._whole = _Whole()
        self._sights: dict[tuple[ReadPath, ...], int] = {}
        self._followed: dict[tuple[Compiled, ...], tuple[Mapping[str, str], int]] = {}
        """Texts of a part -> the templates that they lead to, and the number of its sight; many parts have the same."""
        self._parts = [self._part(node.raw, node.each_text(), node) for node in self._nodes]
        self._checks = [self._part(raw, health_texts(raw), None, name) for name, raw in self._lists.items()]
        self.reads: frozenset[ReadPath] = shortest(path for paths in self._sights for path in paths)
        """Every path of the values that anything in the bundle reads."""

    def _part(self, raw: Any, texts: Iterator[Compiled], node: Node | None, checks: str = "") -> _Part:
        found = tuple(texts)
        if found not in self._followed:
            used = led_to(found, self._templates)
            reads = tuple(sorted(reads_of([*found, *(compile_template(name, text) for name, text in used.items())])))
            self._followed[found] = used, self._sights.setdefault(reads, len(self._sights))
        used, sight = self._followed[found]
        named = texts_for(node, self._templates) if node else {}
        return _Part(raw, sight, {**named, **used}, node, checks)

    def host_selectors(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Texts of the selectors that `hosts(...)` is called with, sorted.

        Raises:
            RenderFailed: one depends on a loop, on facts, on a secret or on something undefined.
        """
        texts: set[str] = set()
        faults: list[Fault] = []
        for path, compiled in self._selectors:
            scope = Scope.of(
                self._sandbox, pick(values, compiled.reading.reads), frozenset(values.get("config") or ()), None
            )
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
        places += [((name,), text) for name, raw in self._lists.items() for text in values_in(raw)]
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
        given = Given(self._sandbox, values, names, secrets)
        sights = [Sight(given, reads) for reads in self._sights]
        known = self._assembled(sights) if secrets is None else None
        if known is not None:
            return known
        found = self._joined(given, host, lambda part: self._remembered(part, sights[part.sight], given))
        if secrets is None:
            self._assemble(sights)
        return found

    def try_out(self, values: Mapping[str, Any], *, host: str = "", names: Collection[str] = ()) -> Rendered:
        """As `render` without secrets, for one host alone: what others could take over is not made, nor remembered."""
        given = Given(self._sandbox, values, names, None)
        sights = [Sight(given, reads) for reads in self._sights]

        def work(part: _Part) -> tuple[tuple[Any, ...], _Troubles]:
            sight = sights[part.sight]
            return self._worked_out(part, sight, given, sight.opaque)

        return self._joined(given, host, work)

    def _joined(self, given: Given, host: str, work: Callable[[_Part], tuple[tuple[Any, ...], _Troubles]]) -> Rendered:
        """All parts, each as `work` makes it."""
        resources: list[RenderedResource] = []
        faults: list[Fault] = []
        for part in self._parts:
            found, troubles = work(part)
            resources += found
            if len(resources) > MAX_ITEMS and not troubles:
                troubles = (((part.node.path if part.node else ()), too_many()),)
            if troubles:
                faults += [self._fault(path, trouble, given.values, host) for path, trouble in troubles]
                if _endless(troubles):
                    raise RenderFailed(faults)
        lists: dict[str, tuple[Mapping[str, Any], ...]] = {}
        for part in self._checks:
            lists[part.checks], troubles = work(part)
            faults += [self._fault(path, trouble, given.values, host) for path, trouble in troubles]
        faults += self._twice(resources, given.values, host)
        if faults:
            raise RenderFailed(faults)
        return Rendered(tuple(resources), **lists)

    def _assembled(self, sights: Sequence[Sight]) -> Rendered | None:
        """The app for a host like one before, all parts at once."""
        whole = self._whole
        seen = [sights[number].blanked(looks) for number, looks in whole.views]
        moulds = whole.moulds.get(tuple([each.key for each in seen]))
        if moulds is None:
            return None
        words = [each.words for each in seen]
        return Rendered(*[mould.filled(words) for mould in moulds])

    def _assemble(self, sights: Sequence[Sight]) -> None:
        """Put the moulds together of which a host without faults was made, if all parts have one."""
        views: dict[tuple[int, Looks], int] = {}
        parted: list[list[tuple[Mould, int]]] = []
        for parts in (self._parts, *[[part] for part in self._checks]):
            numbered: list[tuple[Mould, int]] = []
            for part in parts:
                looks = self._memory.get(part.identity, _NOTHING)
                mould = self._memory.get((part.identity, sights[part.sight].blanked(looks).key))
                if mould is None:
                    return
                numbered.append((mould, views.setdefault((part.sight, looks), len(views))))
            parted.append(numbered)
        if self._whole.views != tuple(views):
            self._whole = _Whole(tuple(views), {})
        if len(self._whole.moulds) < MAX_WHOLE:
            seen = [sights[number].blanked(looks) for number, looks in views]
            sizes = [len(each.numbers) for each in seen]
            key = tuple([each.key for each in seen])
            self._whole.moulds[key] = tuple([Mould.joined(numbered, sizes) for numbered in parted])

    def _remembered(self, part: _Part, sight: Sight, given: Given) -> tuple[tuple[Any, ...], _Troubles]:
        """What a part comes to, from memory where it had these values before. Clear text is never kept."""
        if given.secrets is not None and (part.names_secrets or sight.holds_secrets):
            return self._worked_out(part, sight, given, sight.clear)
        blanked = sight.blanked(self._memory.get(part.identity, _NOTHING))
        mould: Mould | None = self._memory.get((part.identity, blanked.key))
        if mould is not None:
            return mould.filled((blanked.words,)), ()
        return self._moulded(part, sight, blanked) or self._worked_out(part, sight, given, sight.opaque)

    def _moulded(self, part: _Part, sight: Sight, blanked: Blanked) -> tuple[tuple[Any, ...], _Troubles] | None:
        """What a part comes to, by way of a mould for all hosts with these values; None where it has troubles.

        What is looked at is learnt by trying, so that the mould has blanks in the place of all else.
        """
        while True:
            try:
                found, troubles = self._expanded(part, blanked.picked, blanked.view, marked_json)
                break
            except Looked as error:
                if not blanked.numbers:
                    return None  # marks of its own
                blanked = sight.blanked(blanked.looks | blanked.behind(error.blanks))
        if troubles:
            return None
        mould = Mould.of(found)
        self._remember(part.identity, blanked.looks)
        self._remember((part.identity, blanked.key), mould)
        return mould.filled((blanked.words,)), ()

    def _remember(self, key: Any, known: Any) -> None:
        if len(self._memory) >= MEMORY_SIZE:
            self._memory.clear()
        self._memory[key] = known

    def _worked_out(self, part: _Part, sight: Sight, given: Given, view: View) -> tuple[tuple[Any, ...], _Troubles]:
        found, troubles = self._expanded(part, sight.picked, view)
        if part.node and troubles and not _endless(troubles):  # hints name also what is not read
            everything = given.view(given.values, clear=view.clear is not None)
            found, troubles = self._expanded(part, given.values, everything)
        return tuple([RenderedResource(it) if isinstance(it, Form) else it for it in found]), troubles

    def _expanded(
        self, part: _Part, picked: Mapping[str, Any], view: View, fingerprint: Callable[[Any], str] = digest
    ) -> tuple[tuple[Any, ...], _Troubles]:
        expansion = Expansion(picked, fingerprint)
        found: Sequence[Any] = expansion.resources
        if part.node:
            expansion.add(part.node, view)
        else:
            found = self._list(part.checks, expansion, view)
        return tuple(found), tuple(expansion.troubles)

    def _list(self, name: str, expansion: Expansion, view: View) -> Sequence[Mapping[str, Any]]:
        outcomes = [
            expansion.check(without_when(check), (name, index), decided)
            for index, check in enumerate(self._lists[name])
            if (decided := expansion.decided(check.get("when"), (name, index), view)) is not None
        ]
        return [outcome.shown for outcome in outcomes if not outcome.unknown]

    def _fault(self, path: Path, trouble: Trouble, values: Mapping[str, Any], host: str) -> Fault:
        return fault(path, trouble, self._app, host or (values.get("host") or {}).get("name", ""))

    def _twice(self, resources: list[RenderedResource], values: Mapping[str, Any], host: str) -> list[Fault]:
        """Faults for resources that claim the same thing; the steps of a job may."""
        if self._repeats:
            return []
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


def _code(name: str, text: str) -> CodeType:
    return compile_template(name, text).code
