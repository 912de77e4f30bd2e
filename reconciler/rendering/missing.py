"""A name that is not there. Made by the sandbox wherever a lookup finds nothing."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jinja2.exceptions import TemplateRuntimeError, UndefinedError
from jinja2.runtime import StrictUndefined
from jinja2.utils import missing

from reconciler.rendering.trouble import MAX_TROUBLES, Trouble, Troubled, did_you_mean, position


class Missing(StrictUndefined):
    """Strict: any use but `is defined` and `default` is an error. The first use is reported; after that it gives way,
    so that one render finds everything that is missing (its text is then thrown away).
    """

    __slots__ = ("_reported",)

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        self._reported = False

    def _report(self, *_: Any, **__: Any) -> Missing:
        if self._reported:
            return self
        self._reported = True
        frame = inspect.currentframe()
        while frame is not None and (found := position(frame, frame.f_lineno)) is None:
            frame = frame.f_back
        if frame is None or found is None:
            self._fail_with_undefined_error()
        sandbox = frame.f_globals["__jinja_template__"].environment
        if len(sandbox.troubles) >= MAX_TROUBLES:
            raise Troubled(())
        message, hint = self._described(sandbox.names)
        free = self._undefined_obj is missing  # a name, which no host could give, and not part of a value
        sandbox.troubles.append(
            Trouble(*found, code="undefined" if free else "undefined-key", message=message, hint=hint)
        )
        return self

    def _described(self, names: Collection[str]) -> tuple[str, str]:
        if self._undefined_hint:
            return self._undefined_hint, ""
        if self._undefined_obj is missing:
            return f'"{self._undefined_name}" is undefined', did_you_mean(self._undefined_name, names)
        keys = [str(key) for key in self._undefined_obj] if isinstance(self._undefined_obj, Mapping) else []
        return f'"{self._undefined_name}" is undefined', did_you_mean(self._undefined_name, keys)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._report()

    def _nothing(self, *_: Any) -> bool:
        self._report()
        return False

    def __str__(self) -> str:  # type: ignore[override] # gives way, unlike its base
        self._report()
        return ""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override] # gives way, unlike its base
        self._report()
        return iter(())

    def __len__(self) -> int:  # type: ignore[override] # gives way, unlike its base
        self._report()
        return 0

    def __hash__(self) -> int:  # type: ignore[override] # gives way, unlike its base
        self._report()
        return 0

    __repr__ = __str__
    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _nothing  # type: ignore[assignment]
    __int__ = __float__ = __complex__ = __index__ = __len__  # type: ignore[assignment]
    __call__ = __getitem__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _report  # type: ignore[assignment]
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _report  # type: ignore[assignment]
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = _report  # type: ignore[assignment]
