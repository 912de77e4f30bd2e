"""Operators and methods of text, lists and maps, kept within the limits. Called by the sandbox."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from types import BuiltinMethodType, MethodType
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter

from reconciler.rendering import limits
from reconciler.rendering.attributes import TEXT
from reconciler.rendering.limits import Meter
from reconciler.rendering.secret import Hidden, Secret
from reconciler.rendering.values import printed

_KEEPING = frozenset({"strip", "lstrip", "rstrip"})
"""Methods after which a secret is still recognisable."""
_CHANGING = frozenset(
    {
        "capitalize",
        "casefold",
        "expandtabs",
        "lower",
        "removeprefix",
        "removesuffix",
        "replace",
        "swapcase",
        "title",
        "upper",
    }
)
"""Methods after which only a secret's marker is left. All others look at it."""


def tainted(result: Any, secrets: Iterable[Secret]) -> Any:
    """A text that was made of secrets is one."""
    paths = [path for secret in secrets for path in secret.paths]
    return Secret(result, paths) if paths and isinstance(result, str) else result


def of_hidden(value: Hidden, name: str) -> Any:
    """A method of a value that nothing may look at."""
    if isinstance(value, Secret) and name in _KEEPING:
        return functools.partial(_kept, value, name)
    if isinstance(value, Secret) and name in _CHANGING:
        return lambda *_: value.marker
    return value.refuse()


def _kept(secret: Secret, name: str, *args: str) -> Secret:
    return Secret(getattr(secret.shown, name)(*args), secret.paths)


def called(
    meter: Meter, method: BuiltinMethodType | MethodType, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call an allowed method of a text, list or map."""
    owner: Any = method.__self__
    name = method.__name__
    if isinstance(owner, Mapping):
        meter.charge(1 + len(owner))
        return method(*args, **kwargs) if name == "get" else list(getattr(owner, name)())
    if not isinstance(owner, str) or name not in TEXT:
        meter.survey(owner, args)
        return method(*args, **kwargs)
    secrets = meter.survey(owner, args, kwargs)
    if secrets and name == "replace":
        return tainted("", secrets).marker
    if secrets and name != "join":
        secrets[0].refuse()
    if name == "join" and args:
        args = ([part if isinstance(part, str) else printed(meter, part) for part in args[0]],)
        return _joined(meter, owner, args[0])
    shown = tuple(str(arg) if isinstance(arg, Secret) else arg for arg in args)
    if (growth := GROWTH.get(name)) is not None:
        meter.text(growth(owner, *shown, **kwargs))
    result: Any = method(*shown, **kwargs)
    meter.survey(result)
    return tainted(result, secrets)


def _joined(meter: Meter, separator: str, parts: list[Any]) -> Any:
    shown = [part.shown if isinstance(part, Secret) else part for part in parts]
    meter.text(sum(map(len, shown)) + len(separator) * len(shown))
    return tainted(separator.join(shown), [part for part in parts if isinstance(part, Secret)])


def _padded(text: str, size: Any = 8, *_: Any, **__: Any) -> int:
    return max(len(text), limits.width(size))


def _tabs(text: str, tabsize: Any = 8) -> int:
    return len(text) + text.count("\t") * limits.width(tabsize)


def _replaced(text: str, old: str, new: str, *_: Any, **__: Any) -> int:
    return limits.replaced_length(text, old, new)


GROWTH: Mapping[str, Callable[..., int]] = {
    "center": _padded,
    "ljust": _padded,
    "rjust": _padded,
    "zfill": _padded,
    "expandtabs": _tabs,
    "replace": _replaced,
}
"""Length of what a method makes, for those that make more than they are given."""


class _MeteredFormatter(SandboxedFormatter):
    """`str.format` within the sandbox and the limits."""

    def __init__(self, sandbox: ImmutableSandboxedEnvironment, meter: Meter) -> None:
        super().__init__(sandbox)
        self._meter = meter
        self._length = 0
        self.secrets: list[Secret] = []
        """What it put into the text."""
        self.changed = False
        """A secret's marker may be cut or quoted."""

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion in {None, "s"}:
            return value
        return repr(str(self._printed(value, changed=True)))

    def format_field(self, value: Any, format_spec: str) -> str:
        widths = limits.check_format_spec(format_spec)
        simple = isinstance(value, str | int | float)
        shown = value if simple else str(self._printed(value, changed=bool(format_spec)))
        text = Formatter.format_field(self, shown, format_spec)
        self._length += len(text) + widths
        self._meter.text(self._length)
        return str(text)

    def _printed(self, value: Any, *, changed: bool) -> str | Secret:
        text = printed(self._meter, value)
        if isinstance(text, Secret):
            self.secrets.append(text)
            self.changed |= changed
        return text


def formatted(sandbox: ImmutableSandboxedEnvironment, meter: Meter, text: str, *args: Any, **kwargs: Any) -> Any:
    """`text.format(...)`."""
    formatter = _MeteredFormatter(sandbox, meter)
    made = tainted(formatter.vformat(text, args, kwargs), formatter.secrets)
    return made.marker if formatter.changed else made


def add(meter: Meter, left: Any, right: Any) -> Any:
    """`left + right`."""
    if isinstance(left, str) and isinstance(right, str):
        meter.text(len(left) + len(right))
        return left + right
    total = left + right
    meter.survey(total)
    return total


def modulo(meter: Meter, left: Any, right: Any) -> Any:
    """`left % right`: the rest of a division, or a %-format."""
    if isinstance(left, str):
        return printf(meter, left, right)
    meter.charge(1)
    return left % right


def printf(meter: Meter, text: str, given: Any) -> Any:
    """A %-format of one value, several or a map of them."""
    secrets = meter.survey(text, given)
    several = given if isinstance(given, tuple) else (given,)
    arguments: Any = tuple(_argument(meter, value) for value in several)
    if isinstance(given, Mapping):
        arguments = {key: _argument(meter, value) for key, value in given.items()}
    longest = max(
        (len(a) for a in (arguments.values() if isinstance(arguments, dict) else arguments) if isinstance(a, str)),
        default=0,
    )
    widths = limits.check_printf(text)
    meter.text(len(text) + widths + text.count("%") * longest)
    made = tainted(text % arguments, secrets)
    return made.marker if secrets and limits.cuts(text) else made


def _argument(meter: Meter, value: Any) -> Any:
    return value if isinstance(value, int | float | str) else str(printed(meter, value))


OPERATORS: Mapping[str, Callable[[Meter, Any, Any], Any]] = {
    "+": add,
    "-": limits.subtract,
    "*": limits.multiply,
    "**": limits.power,
    "%": modulo,
}
"""The operators that can make much of little."""
