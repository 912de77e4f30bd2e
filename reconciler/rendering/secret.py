"""Values that a render must not know: secrets, which print as `<secret PATH>`, and facts of hosts never heard from.

Used while rendering. Whatever would have to look at such a value (branch, compare, measure, hash, iterate) raises
`NotKnown`, and the resource that does so is *unknown*. What only carries a secret on gives a `Secret` again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NoReturn

KEY = "secret"


class NotKnown(Exception):
    """A render depends on something that is not known here. The message is the reason, as people see it."""


def secret_path(value: Any) -> str | None:
    """The path of a secret's reference, `{"secret": path}`; None for any other value."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(path := value.get(KEY), str):
        return path
    return None


def read_whole(value: Any) -> bool:
    """Whether a map is not cut to what is read of it: a reference, or one of which `secret` alone would look so."""
    return isinstance(value, Mapping) and isinstance(value.get(KEY), str)


def secrets_in(value: Any) -> frozenset[str]:
    """Paths of all references in a value."""
    if (path := secret_path(value)) is not None:
        return frozenset((path,))
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return frozenset().union(*map(secrets_in, below))


def declared(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parts of an app's values that come from manifests. A host says its facts itself, so nothing in them is a
    reference, whatever it looks like: it would get any secret that it names.
    """
    return {part: value for part, value in values.items() if part != "facts"}


class Hidden:
    """A value that nothing may look at."""

    __slots__ = ()

    @property
    def reason(self) -> str:
        raise NotImplementedError

    @property
    def refusal(self) -> Exception:
        return NotKnown(self.reason)

    def refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.refusal

    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = __call__ = __hash__ = refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = refuse
    __neg__ = __pos__ = __abs__ = __int__ = __float__ = __index__ = __round__ = refuse
    __str__ = __repr__ = __format__ = refuse


class UnknownFacts(Hidden):
    """The facts of a host that has not told them yet."""

    __slots__ = ()

    @property
    def reason(self) -> str:
        return "depends on facts of the host, which are not known yet"


class UnknownItem(Hidden):
    """An item of a list that is not known."""

    __slots__ = ("_reason",)

    def __init__(self, reason: str) -> None:
        self._reason = reason

    @property
    def reason(self) -> str:
        return self._reason


class Secret(Hidden):
    """Text that is a secret or holds some. `shown` is that text with a marker in the place of each secret."""

    __slots__ = ("paths", "shown", "whole")

    def __init__(self, shown: str, paths: Collection[str], *, whole: bool = False) -> None:
        self.shown = shown
        self.paths = tuple(sorted(set(paths)))
        self.whole = whole
        """It is exactly the secret, not a text around it."""

    @classmethod
    def of(cls, path: str) -> Secret:
        return cls(f"<secret {path}>", (path,), whole=True)

    @property
    def reason(self) -> str:
        return f"depends on the value of secret {', '.join(self.paths)}"

    @property
    def marker(self) -> Secret:
        """What stands for this text once it has been changed beyond recognition, such as by an encoding."""
        return Secret(f"<secret {', '.join(self.paths)}>", self.paths)

    def __add__(self, other: object) -> Secret:  # type: ignore[override] # a secret can be carried on
        return self._joined(self, other)

    def __radd__(self, other: object) -> Secret:  # type: ignore[override] # a secret can be carried on
        return self._joined(other, self)

    def _joined(self, *parts: object) -> Secret:
        if not all(isinstance(part, str | Secret) for part in parts):
            self.refuse()
        return Secret(
            "".join(map(str, parts)), [path for part in parts if isinstance(part, Secret) for path in part.paths]
        )

    def __str__(self) -> str:  # type: ignore[override] # a secret can be carried on
        return self.shown

    __repr__ = __str__  # type: ignore[assignment] # a secret can be carried on

    def __format__(self, spec: str) -> str:  # type: ignore[override] # a secret can be carried on
        return format(self.shown, spec)


def reveal(value: Any, secrets: Mapping[str, str] | None) -> Any:
    """A copy of a value for templates: references become secrets (or their clear text), maps are in key order."""
    if isinstance(value, dict):
        if (path := secret_path(value)) is not None:
            return _resolved(path, secrets)
        return {key: reveal(value[key], secrets) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [reveal(item, secrets) for item in value]
    return value


def in_order(value: Any) -> Any:
    """A copy of a value for templates, just as it is; maps are in key order."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list | tuple) else value


def _resolved(path: str, secrets: Mapping[str, str] | None) -> Any:
    return Secret.of(path) if secrets is None or path not in secrets else secrets[path]
