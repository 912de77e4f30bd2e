"""Evaluates `{{ }}` in the values of config and vars. Called by the planner while it composes a host's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.errors import InvalidInput
from reconciler.model.metadata import Value
from reconciler.rendering.compiled import Compiled, compile_value, is_template
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.secret import KEY, NotKnown, Secret, reveal
from reconciler.rendering.trouble import Troubled

_WHOLE_ONLY = "Pass the secret on whole, and put the text around it into the template"


class _ConfigSandbox(Sandbox):
    """Turns references into secrets where they are looked up, since maps of other hosts are worked out lazily."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return _revealed(super().getattr(obj, attribute))

    def getitem(self, obj: Any, argument: Any) -> Any:
        return _revealed(super().getitem(obj, argument))


def _revealed(value: Any) -> Any:
    return reveal(value, None) if type(value) is dict or type(value) is list else value


class ConfigRenderer:
    """The sandbox of config values. They see host, vars and hosts(selector); secrets pass through whole only."""

    def __init__(self) -> None:
        self._sandbox = _ConfigSandbox()

    def is_template(self, text: str) -> bool:
        """Whether a text holds something to evaluate."""
        return is_template(text)

    def evaluate(self, text: str, context: Mapping[str, Any]) -> Value:
        """The value of a text: of its type where it is exactly one `{{ expression }}`, else text.

        Args:
            text: what the manifest says.
            context: host, vars (maps) and hosts (a function of a selector's text).

        Raises:
            InvalidInput: with all that is wrong; the places are the caller's to add.
        """
        try:
            return _referenced(self._value(compile_value(text), context))
        except Troubled as error:
            raise InvalidInput(trouble.problem() for trouble in error.troubles) from None
        except NotKnown as error:
            raise InvalidInput.of("secret-in-config", f"a value of config {error}", hint=_WHOLE_ONLY) from None

    def _value(self, compiled: Compiled, context: Mapping[str, Any]) -> Any:
        work = self._sandbox.evaluate if compiled.is_expression else self._sandbox.render
        return work(self._sandbox.template(compiled.code), context, context.keys())


def _referenced(value: Any) -> Value:
    """A value with references again where its secrets are."""
    if isinstance(value, Secret):
        if not value.whole:
            message = f"a value of config holds text around secret {', '.join(value.paths)}"
            raise InvalidInput.of("secret-in-config", message, hint=_WHOLE_ONLY)
        return {KEY: value.paths[0]}
    if isinstance(value, dict):
        return {key: _referenced(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_referenced(item) for item in value]
    return value
