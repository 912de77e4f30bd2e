"""Filters over lists and maps, as Ansible names them; results keep their input's order. Registered by `filters`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from jinja2.environment import Environment
from jinja2.filters import make_attrgetter
from jinja2.utils import pass_environment

from reconciler.rendering.secret import Hidden


def combine(*maps: Any, recursive: bool = False, list_merge: str = "replace") -> dict[Any, Any]:
    """Maps laid over each other, the last wins; lists replace each other or are joined (`append`, `prepend`)."""
    if list_merge not in {"replace", "keep", "append", "prepend"}:
        raise ValueError(f'combine has no list_merge "{list_merge}"')
    merged: dict[Any, Any] = {}
    for given in _flat(maps, None):
        if not isinstance(given, Mapping):
            raise TypeError(f"combine takes maps, not a {type(given).__name__}")
        merged = _merged(merged, given, recursive=recursive, list_merge=list_merge)
    return merged


def _merged(under: Mapping[Any, Any], over: Mapping[Any, Any], *, recursive: bool, list_merge: str) -> dict[Any, Any]:
    result = dict(under)
    for key, value in over.items():
        old = result.get(key)
        if recursive and isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = _merged(old, value, recursive=True, list_merge=list_merge)
        elif isinstance(old, list) and isinstance(value, list):
            result[key] = {"append": old + value, "prepend": value + old, "keep": old}.get(list_merge, value)
        else:
            result[key] = value
    return result


def dict2items(value: Mapping[Any, Any], key_name: str = "key", value_name: str = "value") -> list[dict[str, Any]]:
    """A map as a list of {key, value}."""
    return [{key_name: key, value_name: item} for key, item in value.items()]


def items2dict(value: Iterable[Any], key_name: str = "key", value_name: str = "value") -> dict[Any, Any]:
    """A list of {key, value} as a map."""
    return {item[key_name]: item[value_name] for item in value}


def flatten(value: Any, levels: int | None = None, skip_nulls: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - Ansible's signature
    """A list without lists in it."""
    return [item for item in _flat(value, levels) if item is not None or not skip_nulls]


def _flat(value: Iterable[Any], levels: int | None) -> Iterator[Any]:
    for item in value:
        if isinstance(item, list | tuple) and levels != 0:
            yield from _flat(item, None if levels is None else levels - 1)
        else:
            yield item


def unique(value: Iterable[Any], case_sensitive: bool = True, attribute: str | None = None) -> list[Any]:  # noqa: FBT001, FBT002 - Ansible's signature
    """Each item once, where it stands first."""
    found: dict[Any, Any] = {}
    for item in value:
        chosen = item if attribute is None else item[attribute]
        folded = chosen.lower() if isinstance(chosen, str) and not case_sensitive else chosen
        found.setdefault(_identity(folded), item)
    return list(found.values())


def _identity(value: Any) -> Any:
    """Something to compare items by that is cheap also for lists and maps."""
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, sort_keys=True, default=_hidden)
    return (type(value) is bool, value)


def _hidden(value: Any) -> Any:
    if isinstance(value, Hidden):
        value.refuse()
    raise TypeError(f"a {type(value).__name__} cannot be compared")


def union(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """What is in either list."""
    return unique(itertools.chain(first, second))


def intersect(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """What is in both lists."""
    others = {_identity(item) for item in second}
    return [item for item in unique(first) if _identity(item) in others]


def difference(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """What is in the first list and not in the second."""
    others = {_identity(item) for item in second}
    return [item for item in unique(first) if _identity(item) not in others]


def symmetric_difference(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """What is in exactly one of the lists."""
    first, second = list(first), list(second)
    return union(difference(first, second), difference(second, first))


def zipped(first: Iterable[Any], *others: Iterable[Any]) -> list[list[Any]]:
    """Items of several lists side by side, up to the end of the shortest."""
    return [list(items) for items in zip(first, *others, strict=False)]


def extract(key: Any, container: Any, morekeys: Any = None) -> Any:
    """`container[key]`, for `map`."""
    found = container[key]
    for more in morekeys if isinstance(morekeys, list) else [] if morekeys is None else [morekeys]:
        found = found[more]
    return found


@pass_environment
def total(environment: Environment, value: Iterable[Any], attribute: Any = None, start: Any = 0) -> Any:
    """Numbers added up, or lists put together (`start=[]`)."""
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    if isinstance(start, list):
        return [*start, *itertools.chain.from_iterable(items)]
    return sum(items, start)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "combine": combine,
    "dict2items": dict2items,
    "difference": difference,
    "extract": extract,
    "flatten": flatten,
    "intersect": intersect,
    "items2dict": items2dict,
    "sum": total,
    "symmetric_difference": symmetric_difference,
    "union": union,
    "unique": unique,
    "zip": zipped,
}
"""By name."""
