"""The filters of templates: Jinja's own, and those of Ansible that real templates use, each paid for and told apart by
what it does with a secret. Used by the sandbox.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any

from jinja2.filters import FILTERS as JINJA
from jinja2.runtime import Context, Undefined
from jinja2.utils import _PassArg, pass_context

from reconciler.rendering import data_filters, limits, list_filters, patterns, text_filters
from reconciler.rendering.limits import CALL, CHARACTERS_PER_UNIT, Meter
from reconciler.rendering.methods import printf, tainted
from reconciler.rendering.secret import Hidden, Secret

_LEFT_OUT = frozenset({"attr", "random", "safe", "forceescape", "urlize", "pprint", "format", "xmlattr"})
"""Jinja's filters that are unsafe, depend on chance or are of no use outside web pages."""
_OWN: Mapping[str, Callable[..., Any]] = {
    **text_filters.FILTERS,
    **data_filters.FILTERS,
    **list_filters.FILTERS,
    **patterns.FILTERS,
}

_KEEPING = frozenset(
    "comment format indent join quote string to_json to_nice_json to_nice_yaml to_yaml tojson trim wordwrap".split()  # noqa: SIM905 - words read more easily
)
"""Text filters in whose result a secret's marker still stands where the secret would."""
_HIDING = frozenset(
    "b64decode b64encode basename capitalize dirname e escape lower regex_escape regex_replace replace"  # noqa: SIM905 - words read more easily
    " title upper urlencode urldecode".split()
)
"""Text filters after which only the marker is left."""
_STRUCTURAL = frozenset(
    "attr batch combine count dict2items dictsort difference extract first flatten groupby intersect items"  # noqa: SIM905
    " items2dict last length list map max min reject rejectattr reverse select selectattr slice sort sum"
    " symmetric_difference union unique zip".split()
)
"""Filters over lists and maps that do not look into the secrets among their items, except by comparing them."""
_PASSING = frozenset({"d", "default", "mandatory", "ternary", "combine"})
"""Filters that hand a value on and look only at whether it is there, or at its companions."""

_PRICES: Mapping[str, int] = {
    **dict.fromkeys(("striptags", "title", "wordcount", "wordwrap"), CHARACTERS_PER_UNIT),
    "from_yaml": 300,
    **dict.fromkeys(("to_json", "to_nice_json", "to_yaml", "to_nice_yaml", "tojson"), 4),
    **dict.fromkeys(
        ("sort", "dictsort", "groupby", "unique", "map", "select", "selectattr", "reject", "rejectattr"), 2
    ),
}
"""How much dearer than others a filter is, for what it is given."""


def _indented(text: str, width: Any = 4, *_: Any, **__: Any) -> int:
    size = len(width) if isinstance(width, str) else limits.width(width)
    return len(text) + (text.count("\n") + 1) * size


def _with_separator(value: Any, d: Any = "", *_: Any, **__: Any) -> int:
    return len(value) * len(str(d)) if isinstance(value, Sized) else 0


def _nested(value: Any, indent: Any = 4, *_: Any, **__: Any) -> int:
    """Indentation of a value: at most every item as deep as the deepest."""
    items, deepest, level = 0, 0, [value]
    while level:
        items, deepest = items + len(level), deepest + 1
        level = [
            below
            for item in level
            if isinstance(item, list | tuple | dict)
            for below in (item.values() if isinstance(item, dict) else item)
        ]
    return items * deepest * (limits.width(indent) or 2)


def _decorated(text: Any, *_: Any, **kwargs: Any) -> int:
    return (str(text).count("\n") + 1) * max(map(len, map(str, (*_, *kwargs.values()))), default=3)


def _wrapped(text: str, width: Any = 79, *_: Any, wrapstring: Any = "\n", **__: Any) -> int:
    return len(text) * (1 + len(str(wrapstring))) + limits.width(width)


_GROWTH: Mapping[str, Callable[..., Any]] = {
    "center": lambda text, width=80, *_: len(str(text)) + limits.width(width),
    "comment": _decorated,
    "join": _with_separator,
    "to_json": _nested,
    "to_nice_json": _nested,
    "to_nice_yaml": _nested,
    "to_yaml": _nested,
    "tojson": _nested,
    "indent": lambda text, *args, **kwargs: _indented(str(text), *args, **kwargs),
    "replace": lambda text, old, new, *_: limits.replaced_length(str(text), str(old), str(new)),
    "wordwrap": lambda text, *args, **kwargs: _wrapped(str(text), *args, **kwargs),
    "batch": lambda _, linecount, *__, **___: limits.width(linecount) * CHARACTERS_PER_UNIT,
    "slice": lambda _, slices, *__, **___: limits.width(slices) * CHARACTERS_PER_UNIT,
    "round": lambda _, precision=0, *__, **___: limits.width(precision),
    "truncate": lambda text, *_, **__: len(str(text)),
}
"""What a filter makes, in characters, for those that make more than they are given."""


_HANDED: Mapping[_PassArg, Callable[[Context], Any]] = {
    _PassArg.context: lambda context: context,
    _PassArg.eval_context: lambda context: context.eval_ctx,
    _PassArg.environment: lambda context: context.environment,
}
"""What a filter asks for before its value."""


def metered(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that pays for its input and its result, and does not look at secrets."""
    handed = _PassArg.from_obj(function)
    growth = _GROWTH.get(name)
    dearer = _PRICES.get(name, 1) - 1

    @pass_context
    @functools.wraps(function)
    def call(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        meter: Meter = context.environment.meter  # type: ignore[attr-defined]
        if isinstance(value, Undefined) and name not in _PASSING:
            str(value)
            return value
        before = meter.left
        secrets = meter.survey(value, *args, *kwargs.values())
        meter.charge(CALL + (before - meter.left) * dearer)
        if secrets or isinstance(value, Hidden):
            value, args, kwargs = _opened(name, secrets, value, args, kwargs)
            if name in _HIDING or (name == "format" and limits.cuts(str(value))):
                return tainted("", secrets).marker
        if growth is not None:
            meter.text(int(growth(value, *args, **kwargs)))
        if handed is None:
            result = function(value, *args, **kwargs)
        else:
            result = function(_HANDED[handed](context), value, *args, **kwargs)
        if isinstance(result, Iterator):
            result = list(result)
        meter.survey(result)
        return _closed(name, result, secrets) if secrets else result

    return call


def _opened(
    name: str, secrets: tuple[Secret, ...], value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """The arguments of a filter without bare secrets, if the filter only carries them on."""
    if name in _PASSING:
        return value, args, kwargs
    bare = [part for part in (value, *args, *kwargs.values()) if isinstance(part, Hidden)]
    for part in bare:
        if not isinstance(part, Secret) or name not in _KEEPING | _HIDING:
            part.refuse()
    if name not in _KEEPING | _HIDING | _STRUCTURAL:
        secrets[0].refuse()
    return (
        _shown(value),
        tuple(map(_shown, args)),
        {key: _shown(part) for key, part in kwargs.items()},
    )


def _shown(value: Any) -> Any:
    return value.shown if isinstance(value, Secret) else value


def _closed(name: str, result: Any, secrets: tuple[Secret, ...]) -> Any:
    """A text that a filter made of secrets, as a secret again."""
    return tainted(result, secrets) if name in _KEEPING else result


def _format(meter: Meter, text: str, *args: Any, **kwargs: Any) -> Any:
    return printf(meter, str(text), kwargs or args)


@pass_context
def format_filter(context: Context, text: str, *args: Any, **kwargs: Any) -> Any:
    """`"%s:%s" | format(a, b)`."""
    return _format(context.environment.meter, text, *args, **kwargs)  # type: ignore[attr-defined]


@pass_context
def attribute(context: Context, value: Any, name: str) -> Any:
    """`value.name`, with the same limits."""
    return context.environment.getattr(value, str(name))


FILTERS: Mapping[str, Callable[..., Any]] = {
    name: metered(name, function)
    for name, function in {
        **{n: f for n, f in JINJA.items() if n not in _LEFT_OUT},
        **_OWN,
        "attr": attribute,
        "format": format_filter,
    }.items()
}
"""All filters by name."""
