"""What one resource sees while it is rendered: its variables, in the sandbox of its bundle. Used by the renderer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reconciler.rendering.blanks import Looked
from reconciler.rendering.compiled import Compiled, compile_expression, compile_value, is_template
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.secret import Secret, UnknownFacts, in_order, reveal, secret_path
from reconciler.resources.values import dataclass, field, replace


class Hosts:
    """The function `hosts(selector)`, answered from what the planner froze."""

    def __init__(self, answers: Mapping[str, Any], secrets: Mapping[str, str] | None) -> None:
        self._answers = answers
        self._secrets = secrets
        self._revealed: dict[str, Any] = {}

    def __call__(self, selector: Any) -> Any:
        text = str(selector)
        if text not in self._answers:
            raise LookupError(f"hosts({text!r}) was not looked up; write the selector into the parentheses")
        if text not in self._revealed:
            self._revealed[text] = reveal(self._answers[text], self._secrets)
        return self._revealed[text]


@dataclass(frozen=True, slots=True)
class Scope:
    """Variables and the sandbox that they are used in."""

    sandbox: Sandbox
    variables: Mapping[str, Any]
    names: Collection[str]
    """Names that hints suggest."""
    secrets: Mapping[str, str] | None
    _texts: dict[Compiled, str | Secret | Looked] = field(init=False, default_factory=dict, repr=False)
    """What came of templates with these variables; several files may come from one."""

    @classmethod
    def of(
        cls,
        sandbox: Sandbox,
        picked: Mapping[str, Any],
        names: Collection[str],
        secrets: Mapping[str, str] | None,
    ) -> Scope:
        """The scope of what was picked out of an app's values."""
        facts = picked.get("facts")
        variables = {
            **reveal(picked.get("config") or {}, secrets),
            "vars": reveal(picked.get("vars") or {}, secrets),
            "host": reveal(picked.get("host") or {}, secrets),
            "facts": UnknownFacts() if facts is None else in_order(facts),
            "hosts": Hosts(picked.get("hosts") or {}, secrets),
        }
        return cls(sandbox, variables, names, secrets)

    def with_item(self, key: Any, item: Any) -> Scope:
        """This scope inside a forEach."""
        return replace(self, variables={**self.variables, "item": item, "key": key}, names=[*self.names, "item", "key"])

    def text(self, compiled: Compiled) -> str | Secret:
        """The text of a template."""
        text = self._texts.get(compiled)
        if text is None:
            text = self._texts[compiled] = self._rendered(compiled)
        if isinstance(text, Looked):
            raise Looked(text.blanks)
        return text

    def _rendered(self, compiled: Compiled) -> str | Secret | Looked:
        try:
            return self.sandbox.render(self.sandbox.template(compiled.code), self.variables, self.names)
        except Looked as error:
            return Looked(error.blanks)

    def expression(self, text: str) -> Any:
        """The value of an expression without braces."""
        return self.sandbox.evaluate(self.sandbox.template(compile_expression(text).code), self.variables, self.names)

    def value(self, raw: str) -> Any:
        """A text of a manifest: as it is, or the value of its one `{{ expression }}`, or its text rendered."""
        if not is_template(raw):
            return raw
        return self.compiled_value(compile_value(raw))

    def compiled_value(self, compiled: Compiled) -> Any:
        """The value of a text of a manifest that is compiled already."""
        template = self.sandbox.template(compiled.code)
        if compiled.is_expression:
            return self.sandbox.evaluate(template, self.variables, self.names)
        return self.sandbox.render(template, self.variables, self.names)

    def secrets_within(self, value: Any) -> frozenset[str]:
        """Paths of the secrets whose clear text stands in a rendered value."""
        text = "\0".join(_texts(value)) if self.secrets else ""
        return frozenset(path for path, secret in (self.secrets or {}).items() if secret and secret in text)

    def whole(self, raw: Any) -> Any:
        """A value of a manifest with all texts in it."""
        if isinstance(raw, str):
            return self.value(raw)
        if isinstance(raw, list):
            return [self.whole(item) for item in raw]
        if isinstance(raw, dict):
            return reveal(raw, self.secrets) if secret_path(raw) else {key: self.whole(raw[key]) for key in sorted(raw)}
        return raw


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
