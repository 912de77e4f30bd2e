"""The one grammar of expressions: `when`, gates, triggers and alert rules. Jinja's, sandboxed, and with durations
(`window=5m`) as numbers of seconds.

Called by whoever reads an expression out of a manifest. What names and functions mean is the caller's.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from reconciler.errors import InvalidInput, Problem, cut
from reconciler.rendering.compiled import Compiled, compile_expression, expression_tree
from reconciler.rendering.environment import GLOBALS, Sandbox
from reconciler.rendering.limits import LimitExceeded
from reconciler.rendering.reads import ReadPath
from reconciler.rendering.trouble import Trouble, Troubled, did_you_mean, syntax_trouble
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    _compiled: Compiled = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, *, functions: Collection[str] = ()) -> Expression:
        """Read an expression.

        Args:
            text: without braces, such as `cpu.percent > 90 and avg(load, window=5m) > 4`.
            functions: names that it may call; `evaluate` has to be given them.

        Raises:
            InvalidInput: it cannot be read, or calls what does not exist. A problem's message names the column.
        """
        compiled = compile_expression(text)
        troubles = list(compiled.troubles)
        for name in sorted(compiled.reading.calls - set(functions) - GLOBALS.keys()):
            hint = did_you_mean(name, functions)
            troubles.append(Trouble("", 0, "expression", f'there is no function "{name}"', hint))
        if troubles:
            raise InvalidInput(_problem(text, trouble) for trouble in troubles)
        return cls(text, compiled)

    @property
    def names(self) -> frozenset[str]:
        """Top-level names that it reads, without functions."""
        return self._compiled.reading.names - self.functions

    @property
    def functions(self) -> frozenset[str]:
        """Names that it calls."""
        return self._compiled.reading.calls

    @property
    def reads(self) -> frozenset[ReadPath]:
        """Paths that it reads: ("filesystem", "free_bytes")."""
        return frozenset(
            path[1:] if path[0] == "config" else path
            for path in self._compiled.reading.reads
            if path != ("config",) and path[-1] not in self.functions
        )

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Its value with these names and functions.

        Raises:
            InvalidInput: a name is undefined, or values do not fit.
            NotKnown: it looks at a value that is not known.
        """
        sandbox = _sandbox()
        try:
            return sandbox.evaluate(sandbox.template(self._compiled.code), context, context.keys())
        except Troubled as error:
            raise InvalidInput(_problem(self.text, trouble) for trouble in error.troubles) from None


def parse_tree(text: str) -> nodes.Expr:
    """The syntax tree of an expression, for who evaluates it in another way than Jinja does.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return expression_tree(text)
    except Troubled as error:
        raise InvalidInput(_problem(text, trouble) for trouble in error.troubles) from None
    except TemplateSyntaxError as error:
        raise InvalidInput(_problem(text, syntax_trouble(error))) from None
    except LimitExceeded as error:
        raise InvalidInput(_problem(text, Trouble("", 0, "template-limit", str(error)))) from None


@functools.cache
def _sandbox() -> Sandbox:
    """Where expressions run that belong to no bundle."""
    return Sandbox()


def _problem(text: str, trouble: Trouble) -> Problem:
    where = f" (column {trouble.column})" if trouble.column else ""
    return Problem(
        trouble.place, f"cannot evaluate {cut(text)!r}: {trouble.message}{where}", trouble.hint, trouble.code
    )
