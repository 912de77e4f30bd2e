"""Where an app's values on a host come from (`reconcile explain`): every layer that set one, and which one holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.errors import Place
from reconciler.model.canonical import canonical
from reconciler.model.manifests import Dependency
from reconciler.model.metadata import Origin, Path
from reconciler.planner.explain import ExplainedValue, Explanation, Setting
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document, plain
from reconciler.reports.table import aligned
from reconciler.reports.visible import visible
from reconciler.resources.values import dataclass

Locate = Callable[[Origin, Path], Place]

_ABSENT = object()


def by_file(origin: Origin, path: Path) -> Place:  # noqa: ARG001 - a Locate
    """The place of a setting where nobody looks up its line."""
    return Place(origin.file)


def explain_text(explanation: Explanation, *, color: bool, locate: Locate = by_file) -> str:
    """What placed the app here, what it is tied to, and each value with the layers below it that it overrides.

    Args:
        explanation: the planner's answer.
        color: paint for a terminal.
        locate: finds line and column of a setting.
    """
    read = json.loads(explanation.values)
    values = _Values(Palette(color), locate)
    parts = [
        _head(explanation, Palette(color)),
        values.lines("Config", explanation.config, read.get("config")),
        values.lines("Vars", explanation.vars, read.get("vars")),
    ]
    return "\n".join("".join(f"{line}\n" for line in lines) for part in parts if (lines := list(part)))


def explain_json(explanation: Explanation, *, locate: Locate = by_file) -> str:
    """The explanation's fields; each value with its settings, lowest first, so the last one holds.

    {"format": 1, "explanation": {"host", "app", "placed_by", "groups", "depends_on", "needed_by", "bundle", "digest",
    "due", "held", "secrets", "values": what the app reads, evaluated, "config" and "vars": [{"name", "settings":
    [{"source", "value", "place": "file:line:column"}...]}...]}}
    """
    told = plain(explanation)
    told["values"] = json.loads(explanation.values)
    for part, values in (("config", explanation.config), ("vars", explanation.vars)):
        told[part] = [{"name": value.name, "settings": _settings_json(value, locate)} for value in values]
    return document(explanation=told)


def _settings_json(value: ExplainedValue, locate: Locate) -> list[dict[str, Any]]:
    return [
        {"source": setting.source, "value": setting.value, "place": str(locate(setting.origin, setting.path))}
        for setting in value.settings
    ]


def _head(explanation: Explanation, paint: Palette) -> Iterator[str]:
    yield f"{paint.strong(visible(explanation.app))} on {visible(explanation.host)}"
    rows = {
        "placed by": explanation.placed_by,
        "groups": ", ".join(explanation.groups),
        "depends on": ", ".join(_dependency(dependency) for dependency in explanation.depends_on),
        "needed by": ", ".join(explanation.needed_by),
        "secrets": ", ".join(explanation.secrets),
        "bundle": explanation.bundle[:12],
        "digest": explanation.digest[:12],
        "due": f"yes: {explanation.due.value}" if explanation.due else "no: it is as it was last applied",
        "held back": explanation.held,
    }
    yield from aligned([f"  {paint.quiet(name)}", visible(text)] for name, text in rows.items() if text)


def _dependency(dependency: Dependency) -> str:
    same = f"same {', '.join(dependency.same_labels)}" if dependency.same_labels else ""
    some = "any one host" if dependency.require.value == "any" else ""
    conditions = "; ".join(text for text in (same, some) if text)
    return f"{dependency.app} ({conditions})" if conditions else dependency.app


@dataclass(frozen=True, slots=True)
class _Values:
    """Tells values; carries how to."""

    paint: Palette
    locate: Locate

    def lines(self, title: str, values: Sequence[ExplainedValue], read: Any) -> Iterator[str]:
        """The values under a title, compared with what the app reads of them."""
        if values:
            yield f"{title}:"
        for value in values:
            yield from self._value(value, _at(read, value.name))

    def _value(self, value: ExplainedValue, evaluated: Any) -> Iterator[str]:
        winner, unread = value.winner, evaluated is _ABSENT
        note = self.paint.quiet("  (not read by the app)") if unread else ""
        yield f"  {self.paint.strong(visible(value.name))} = {_shown(winner.value if unread else evaluated)}{note}"
        written = "" if unread or evaluated == winner.value else f" = {_shown(winner.value)}"
        yield f"      from {self._source(winner, written)}"
        for setting in reversed(value.settings[:-1]):
            yield self.paint.quiet(f"      over {self._source(setting, f' = {_shown(setting.value)}')}")

    def _source(self, setting: Setting, value: str) -> str:
        return f"{visible(setting.source)}{value}, {visible(str(self.locate(setting.origin, setting.path)))}"


def _shown(value: Any) -> str:
    """JSON, so that the text "1" and the number 1 look different; a secret as in plans."""
    if isinstance(value, Mapping) and set(value) == {"secret"}:
        return visible(f"<secret {value['secret']}>")
    return visible(canonical(value).decode())


def _at(tree: Any, name: str) -> Any:
    """The value below a dotted name, whose keys may have dots themselves; _ABSENT where there is none."""
    if not isinstance(tree, Mapping):
        return _ABSENT
    if name in tree:
        return tree[name]
    deeper = (_at(tree[key], name.removeprefix(f"{key}.")) for key in tree if name.startswith(f"{key}."))
    return next((value for value in deeper if value is not _ABSENT), _ABSENT)
