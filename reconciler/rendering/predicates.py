"""The tests of templates (`x is defined`): Jinja's, and those of Ansible that need no host. Used by the sandbox."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from jinja2.runtime import Context
from jinja2.tests import TESTS as JINJA
from jinja2.utils import _PassArg, pass_context

from reconciler.rendering import patterns
from reconciler.rendering.secret import Hidden, Secret

_LEFT_OUT = frozenset({"callable", "escaped", "filter", "sameas", "test"})
_OF_SECRETS: Mapping[str, bool] = {
    "defined": True,
    "undefined": False,
    "none": False,
    "string": True,
    "number": False,
    "integer": False,
    "float": False,
    "boolean": False,
    "mapping": False,
}
"""What is known of every secret: it is there, and it is text."""


def truthy(value: Any) -> bool:
    """Whether a value counts as true."""
    return bool(value)


def falsy(value: Any) -> bool:
    """Whether a value counts as false."""
    return not value


def contains(value: Any, item: Any) -> bool:
    """Whether an item is in a list, a key in a map, or a text in a text."""
    return item in value


def subset(value: Any, other: Any) -> bool:
    """Whether all of a list stands in another."""
    return all(item in other for item in value)


def superset(value: Any, other: Any) -> bool:
    """Whether a list holds all of another."""
    return subset(other, value)


def _version_key(text: Any) -> list[tuple[int, int, str]]:
    parts = "".join(sign if sign.isalnum() else "." for sign in str(text)).split(".")
    return [(1, int(part), "") if part.isascii() and part.isdigit() else (0, 0, part) for part in parts if part]


def version(value: Any, other: Any, operator: str = "==") -> bool:
    """Compare versions part by part, numbers as numbers."""
    left, right = _version_key(value), _version_key(other)
    results = {
        ("<", "lt"): left < right,
        ("<=", "le"): left <= right,
        (">", "gt"): left > right,
        (">=", "ge"): left >= right,
        ("==", "=", "eq"): left == right,
        ("!=", "<>", "ne"): left != right,
    }
    for names, result in results.items():
        if operator in names:
            return result
    raise ValueError(f'version has no operator "{operator}"')


def metered(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A test that pays for what it compares, and knows of secrets only what all have in common."""
    handed = _PassArg.from_obj(function)

    @pass_context
    @functools.wraps(function)
    def call(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Hidden):
            if name in {"defined", "undefined"} or (isinstance(value, Secret) and name in _OF_SECRETS):
                return _OF_SECRETS[name]
            value.refuse()
        for other in (*args, *kwargs.values()):
            if isinstance(other, Hidden):
                other.refuse()
        if name not in {"defined", "undefined"}:
            context.environment.meter.survey(value, *args)  # type: ignore[attr-defined]
        return function(*((context,) if handed is _PassArg.context else ()), value, *args, **kwargs)

    return call


_JINJA: dict[str, Any] = {name: test for name, test in JINJA.items() if name not in _LEFT_OUT}
_OWN: Mapping[str, Callable[..., Any]] = {
    **patterns.TESTS,
    "contains": contains,
    "falsy": falsy,
    "issubset": subset,
    "issuperset": superset,
    "subset": subset,
    "superset": superset,
    "truthy": truthy,
    "version": version,
}
TESTS: Mapping[str, Callable[..., Any]] = {
    name: metered(name, function) for name, function in {**_JINJA, **_OWN}.items()
}
"""All tests by name."""
