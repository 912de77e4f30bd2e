"""`dataclass` as the standard library has it, with methods that are written when they are first called.

The standard library writes and compiles six methods for every class while it is imported: 0.6 ms each, and a command
loads 250 classes, of which it uses a few. Here a class takes a tenth of that, and a host need not load `dataclasses`.
Type checkers see the standard library's, and it takes these classes for its own. `kw_only` is not offered.
"""

from __future__ import annotations

import operator
from functools import cached_property
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]

_MISSING: Any = object()
_FIELDS = "__fields_of_values__"
"""Where a class keeps its fields."""

_FEW = 8
"""Instances of a class from which on it pays to compile a method that makes them."""
_ORDERS = ("lt", "le", "gt", "ge")
_ATOMS = frozenset({str, int, float, bool, bytes, type(None)})


class _Field:
    """One field, as it was declared."""

    __slots__ = ("compare", "default", "default_factory", "init", "name", "repr", "type")

    def __init__(self, **declared: Any) -> None:
        self.name = ""
        self.type: Any = None
        self.default: Any = declared.get("default", _MISSING)
        self.default_factory: Any = declared.get("default_factory", _MISSING)
        self.init: bool = declared.get("init", True)
        self.repr: bool = declared.get("repr", True)
        self.compare: bool = declared.get("compare", True)


def _dataclass(
    cls: Any = None, *, frozen: bool = False, slots: bool = False, eq: bool = True, order: bool = False
) -> Any:
    """See `dataclasses.dataclass`."""
    if cls is None:
        return lambda cls: _made(cls, frozen=frozen, slots=slots, eq=eq, order=order)
    return _made(cls, frozen=frozen, slots=slots, eq=eq, order=order)


def _fields(values: Any) -> Tuple[_Field, ...]:
    """See `dataclasses.fields`."""
    found: Optional[Tuple[_Field, ...]] = getattr(values, _FIELDS, None)
    return tuple(values.__dataclass_fields__.values()) if found is None else found


def _replace(instance: Any, **changes: Any) -> Any:
    """See `dataclasses.replace`."""
    for each in _fields(instance):
        if each.init and each.name not in changes:
            changes[each.name] = getattr(instance, each.name)
    return type(instance)(**changes)


def _asdict(instance: Any) -> Dict[str, Any]:
    """See `dataclasses.asdict`."""
    return {each.name: _plain(getattr(instance, each.name)) for each in _fields(instance)}


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return value
    if isinstance(value, dict):
        return kind((_plain(key), _plain(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return kind([_plain(each) for each in value])
    if hasattr(kind, _FIELDS) or hasattr(kind, "__dataclass_fields__"):
        return _asdict(value)
    from copy import deepcopy  # noqa: PLC0415 - few values need it

    return deepcopy(value)


if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, fields, replace
else:
    asdict, dataclass, field, fields, replace = _asdict, _dataclass, _Field, _fields, _replace


# -- making a class


def _made(cls: Any, *, frozen: bool, slots: bool, eq: bool, order: bool) -> Any:
    """The class with its methods; another one where it gets slots, which have to be there when it is made."""
    annotations = vars(cls).get("__annotations__", {})
    own = [_declared(cls, name, kind) for name, kind in annotations.items() if not _of_class(kind)]
    inherited = _inherited(cls)
    fields = tuple({**inherited, **{each.name: each for each in own}}.values())
    members = _members(cls, fields, frozen=frozen, eq=eq, order=order)
    if slots:
        names = [each.name for each in own]
        cls = _slotted(cls, {**members, **(_PICKLED if frozen else {})}, names, [*inherited])
    else:
        for each in own:
            _leave_default(cls, each)
        for name, member in members.items():
            setattr(cls, name, member)
    cls.__init__ = _first_init(cls, frozen=frozen)
    return cls


def _of_class(kind: Any) -> bool:
    return str(kind).startswith(("ClassVar", "typing.ClassVar"))


def _declared(cls: Any, name: str, kind: Any) -> _Field:
    default = vars(cls).get(name, _MISSING)
    found = default if isinstance(default, _Field) else _Field(default=default)
    found.name, found.type = name, kind
    return found


def _inherited(cls: Any) -> Dict[str, _Field]:
    if hasattr(cls, "__dataclass_fields__") and not hasattr(cls, _FIELDS):
        raise TypeError(f"{cls.__name__} inherits from a class that `dataclasses` made")
    fields: Dict[str, _Field] = {}
    for parent in reversed(cls.__mro__[1:]):
        fields.update((each.name, each) for each in vars(parent).get(_FIELDS, ()))
    return fields


def _leave_default(cls: Any, declared: _Field) -> None:
    if declared.default is not _MISSING:
        setattr(cls, declared.name, declared.default)
    elif declared.name in vars(cls):
        delattr(cls, declared.name)


def _slotted(cls: Any, members: Mapping[str, Any], own: Sequence[str], inherited: Sequence[str]) -> Any:
    left_out = {*own, "__dict__", "__weakref__"}
    space = {name: value for name, value in vars(cls).items() if name not in left_out}
    space.update(members, __slots__=tuple(name for name in own if name not in inherited))
    again = type(cls)(cls.__name__, cls.__bases__, space)
    again.__qualname__ = cls.__qualname__
    return again


def _members(cls: Any, fields: Tuple[_Field, ...], *, frozen: bool, eq: bool, order: bool) -> Dict[str, Any]:
    own = vars(cls)
    standard = _Standard(cls.__name__, fields, frozen=frozen, eq=eq)
    members = {
        _FIELDS: fields,
        "__match_args__": tuple(each.name for each in fields if each.init),
        "__dataclass_fields__": _Lazy(standard, "__dataclass_fields__"),
        "__dataclass_params__": _Lazy(standard, "__dataclass_params__"),
    }
    if eq:
        values_of = _values_of([each.name for each in fields if each.compare])
        if "__eq__" not in own:
            members["__eq__"] = _compared("eq", values_of)
        if own.get("__hash__") is None:
            members["__hash__"] = (lambda self: hash(values_of(self))) if frozen else None
        members.update((f"__{name}__", _compared(name, values_of)) for name in (_ORDERS if order else ()))
    if "__repr__" not in own:
        members["__repr__"] = _repr
    if frozen:
        members.update(__setattr__=_set_none, __delattr__=_delete_none)
    return members


# -- the methods


def _values_of(names: Sequence[str]) -> Callable[[Any], Any]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _compared(name: str, values_of: Callable[[Any], Any]) -> Callable[[Any, Any], bool]:
    compare = getattr(operator, name)

    def compared(self: Any, other: Any) -> bool:
        return compare(values_of(self), values_of(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in _fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _set_none(self: Any, name: str, value: Any) -> None:
    _refuse(self, name, "assign to")
    object.__setattr__(self, name, value)


def _delete_none(self: Any, name: str) -> None:
    _refuse(self, name, "delete")
    object.__delattr__(self, name)


def _refuse(self: Any, name: str, what: str) -> None:
    """Nothing of a frozen instance changes; a plain class that inherits from it may have attributes of its own."""
    if _FIELDS in vars(type(self)) or any(each.name == name for each in _fields(self)):
        from dataclasses import FrozenInstanceError  # noqa: PLC0415 - slow to load

        raise FrozenInstanceError(f"cannot {what} field {name!r}")


def _getstate(self: Any) -> List[Any]:
    return [getattr(self, each.name) for each in _fields(self)]


def _setstate(self: Any, state: Iterable[Any]) -> None:
    for each, value in zip(_fields(self), state):
        object.__setattr__(self, each.name, value)


_PICKLED = {"__getstate__": _getstate, "__setstate__": _setstate}


def _first_init(cls: Any, *, frozen: bool) -> Callable[..., None]:
    """Fills the first few instances, then writes the method that it stands for: most classes have no more.

    What may not be given is left to the written one, which tells it as Python does.
    """
    left = _FEW
    put = object.__setattr__ if frozen else setattr

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes one
        nonlocal left
        left -= 1
        if left < 0 or not _filled(self, _fields(cls), args, kwargs, put):
            written = cls.__init__ = _written_init(cls, frozen=frozen)
            written(self, *args, **kwargs)
        elif hasattr(cls, "__post_init__"):
            self.__post_init__()

    return __init__


def _filled(
    self: Any,
    fields: Iterable[_Field],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    put: Callable[[Any, str, Any], None],
) -> bool:
    """Whether these arguments are what the fields take; then the instance has them."""
    rest, named = list(reversed(args)), dict(kwargs)
    for each in fields:
        if each.init and rest and each.name not in named:
            put(self, each.name, rest.pop())
        elif each.init and not rest and each.name in named:
            put(self, each.name, named.pop(each.name))
        elif each.default_factory is not _MISSING:
            put(self, each.name, each.default_factory())
        elif each.default is not _MISSING:
            put(self, each.name, each.default)
        elif each.init:
            return False
    return not rest and not named


def _written_init(cls: Any, *, frozen: bool) -> Callable[..., None]:
    """Its names begin with an underscore where a field's could stand in their way."""
    known: Dict[str, Any] = {"_missing": _MISSING, "_put": object.__setattr__}
    parameters, lines = ["self"], ["pass"]
    for at, each in enumerate(_fields(cls)):
        name = value = each.name
        default = ""
        if each.default_factory is not _MISSING:
            known[f"_make_{at}"] = each.default_factory
            value, default = f"_make_{at}() if {name} is _missing else {name}", "=_missing"
        elif each.default is not _MISSING:
            known[f"_default_{at}"] = each.default
            default = f"=_default_{at}"
        if each.init:
            parameters.append(name + default)
        elif default:
            lines.append(name + default)
        else:
            continue
        slot = getattr(cls, name, None)
        if not frozen:
            lines.append(f"self.{name} = {value}")
        elif isinstance(slot, MemberDescriptorType):
            known[f"_put_{at}"] = slot.__set__
            lines.append(f"_put_{at}(self, {value})")
        else:
            lines.append(f"_put(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    exec(f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines), known)  # noqa: S102 - names of fields
    written: Callable[..., None] = known["__init__"]
    written.__qualname__ = f"{cls.__qualname__}.__init__"
    return written


# -- for the standard library


class _Standard:
    """The same class as `dataclasses` would make it: whoever asks for its fields is answered from that."""

    def __init__(self, name: str, fields: Iterable[_Field], *, frozen: bool, eq: bool) -> None:
        self._name = name
        self._fields = fields
        self._frozen = frozen
        self._eq = eq

    @cached_property
    def made(self) -> Any:
        """The class; nothing but its fields and parameters is of use."""
        import dataclasses  # noqa: PLC0415 - slow to load

        declared = []
        for each in self._fields:
            given = {name: getattr(each, name) for name in ("default", "default_factory", "init", "repr", "compare")}
            known = {name: value for name, value in given.items() if value is not _MISSING}
            declared.append((each.name, each.type, dataclasses.field(**known)))
        return dataclasses.make_dataclass(self._name, declared, frozen=self._frozen, eq=self._eq)


class _Lazy:
    """An attribute of a class that is found out when it is asked for."""

    def __init__(self, standard: _Standard, name: str) -> None:
        self._standard = standard
        self._name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        return getattr(self._standard.made, self._name)
