"""Filters and tests that match regular expressions. The `regex` library stops a match that backtracks without end,
which the standard library cannot; it is loaded when a template first matches. Registered by `filters` and `predicates`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.runtime import Context
from jinja2.utils import pass_context

from reconciler.errors import cut
from reconciler.rendering import limits
from reconciler.rendering.limits import Meter
from reconciler.rendering.text_filters import text_of

MAX_KEPT = 64
"""Compiled patterns that a render keeps, and that all renders together do; one may take a megabyte."""


@functools.lru_cache(maxsize=MAX_KEPT)
def _compiled(pattern: str, flags: int) -> Any:
    import regex  # noqa: PLC0415 - costs 60 ms, few templates match

    try:
        return regex.compile(pattern, flags)
    except (regex.error, RecursionError) as error:
        raise ValueError(f"cannot read the regular expression {cut(str(pattern))!r}: {error}") from None


def _pattern(meter: Meter, pattern: Any, ignorecase: Any, multiline: Any) -> Any:
    """A pattern, paid for where a render uses it first, wherever it was compiled before."""
    key = text_of(pattern), (2 if ignorecase else 0) | (8 if multiline else 0)
    known = meter.patterns.get(key)
    if known is None:
        meter.charge(limits.pattern_price(key[0]))
        if len(meter.patterns) >= MAX_KEPT:
            meter.patterns.clear()
        known = meter.patterns[key] = _compiled(*key)
    return known


def _meter(context: Context) -> Meter:
    meter: Meter = context.environment.meter  # type: ignore[attr-defined]
    return meter


@pass_context
def regex_replace(  # noqa: PLR0917 - Ansible's signature
    context: Context,
    value: Any = "",
    pattern: Any = "",
    replacement: Any = "",
    ignorecase: Any = False,  # noqa: FBT002 - Ansible's signature
    multiline: Any = False,  # noqa: FBT002
    count: int = 0,
) -> str:
    r"""Text with every match replaced; the replacement may hold \1 and \\g<name>."""
    meter, text = _meter(context), text_of(value)
    compiled = _pattern(meter, pattern, ignorecase, multiline)
    made = 0

    def replaced(match: Any) -> str:
        nonlocal made
        piece: str = match.expand(text_of(replacement))
        made += len(piece)
        meter.text(made)
        return piece

    result: str = meter.timed(lambda seconds: compiled.sub(replaced, text, count=count, timeout=seconds))
    return result


@pass_context
def regex_search(
    context: Context,
    value: Any,
    pattern: Any,
    *groups: str,
    ignorecase: Any = False,
    multiline: Any = False,
) -> Any:
    r"""The first match, or the groups asked for (`"\\1"`, `"\\g<name>"`); null where nothing matches."""
    meter, text = _meter(context), text_of(value)
    compiled = _pattern(meter, pattern, ignorecase, multiline)
    match = meter.timed(lambda seconds: compiled.search(text, timeout=seconds))
    if match is None:
        return None
    return [match.group(_group(group)) for group in groups] if groups else match.group()


def _group(group: str) -> int | str:
    name = group.removeprefix("\\g").strip("\\<>")
    return int(name) if name.isdigit() else name


@pass_context
def regex_findall(
    context: Context,
    value: Any,
    pattern: Any,
    multiline: Any = False,  # noqa: FBT002 - Ansible's signature
    ignorecase: Any = False,  # noqa: FBT002
) -> list[Any]:
    """All matches; with groups in the pattern, the groups."""
    meter, text = _meter(context), text_of(value)
    compiled = _pattern(meter, pattern, ignorecase, multiline)
    found = meter.timed(lambda seconds: compiled.findall(text, timeout=seconds))
    return [list(item) if isinstance(item, tuple) else item for item in found]


def regex_escape(value: Any) -> str:
    """Text as a pattern that matches exactly it."""
    return "".join(
        f"\\{sign}" if sign in r"\.^$*+?{}[]|()-&~# " or sign in "\t\n\r\v\f" else sign for sign in text_of(value)
    )


def _tester(method: str) -> Callable[..., bool]:
    @pass_context
    def test(context: Context, value: Any, pattern: Any = "", ignorecase: Any = False, multiline: Any = False) -> bool:  # noqa: FBT002
        meter, text = _meter(context), text_of(value)
        compiled = _pattern(meter, pattern, ignorecase, multiline)
        matched = meter.timed(lambda seconds: getattr(compiled, method)(text, timeout=seconds))
        return matched is not None

    return test


FILTERS: Mapping[str, Callable[..., Any]] = {
    "regex_escape": regex_escape,
    "regex_findall": regex_findall,
    "regex_replace": regex_replace,
    "regex_search": regex_search,
}
TESTS: Mapping[str, Callable[..., bool]] = {
    "match": _tester("match"),
    "regex": _tester("search"),
    "search": _tester("search"),
}
"""By name."""
