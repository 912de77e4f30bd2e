"""Which attributes and methods templates may use, by the type of the value: a list of what is allowed, so that
nothing of Python's own is ever reachable. Asked by the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.utils import Cycler, Joiner

TEXT = frozenset(
    "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii"  # noqa: SIM905 - words read more easily
    " isdecimal isdigit islower isnumeric isspace istitle isupper join ljust lower lstrip partition"
    " removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines"
    " startswith strip swapcase title upper zfill".split()
)
_SEQUENCE = frozenset({"count", "index"})
_MAP = frozenset({"get", "items", "keys", "values"})
_LOOP = frozenset(
    "index index0 revindex revindex0 first last length depth depth0 previtem nextitem cycle changed".split()  # noqa: SIM905 - words read more easily
)
_ALLOWED: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, TEXT),
    ((list, tuple, range), _SEQUENCE),
    (Mapping, _MAP),
    (LoopContext, _LOOP),
    (Macro, frozenset({"name", "arguments", "catch_kwargs", "catch_varargs", "caller"})),
    (Cycler, frozenset({"current", "next", "reset"})),
    (Joiner, frozenset()),
    (BlockReference, frozenset({"name", "super"})),
)


def allowed(value: Any) -> frozenset[str]:
    """Names of the attributes that templates may use of a value."""
    for types, names in _ALLOWED:
        if isinstance(value, types):
            return names
    return frozenset()
