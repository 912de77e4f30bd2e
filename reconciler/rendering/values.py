"""What templates hand out: texts, and plain values for the fields of resources. Used by the sandbox and filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2.runtime import Undefined

from reconciler.rendering.limits import Meter
from reconciler.rendering.secret import Hidden, Secret

_SCALARS = (str, bool, int, float, type(None))


def plain(value: Any) -> Any:
    """A value as YAML could hold it (secrets stay secrets); anything else, such as a macro, is refused.

    Raises:
        TypeError: it is no value.
    """
    if isinstance(value, _SCALARS):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Secret):
        return value
    if isinstance(value, Hidden):
        value.refuse()
    if isinstance(value, Undefined):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | range | Iterator):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__.lower()} is no value that can be written")


def _key(key: Any) -> str | int | float | bool | None:
    if isinstance(key, _SCALARS):
        return key
    raise TypeError("a key of a map has to be text")


def printed(meter: Meter, value: Any) -> str | Secret:
    """What a value looks like in text. Lists and maps look as in Python, as in every other use of Jinja."""
    if isinstance(value, Secret):
        return value
    secrets = meter.survey(value)
    text = str(plain(value))
    meter.text(len(text))
    if not secrets:
        return text
    return Secret(text, [path for secret in secrets for path in secret.paths])
