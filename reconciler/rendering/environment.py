"""The sandbox that templates run in: what they may reach and what they pay for it.

Built by the renderer (one per bundle), config values and expressions. Filters, tests, prices and the list of allowed
attributes have modules of their own.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import BuiltinMethodType, CodeType, MethodType
from typing import Any

from jinja2 import TemplateNotFound
from jinja2.environment import Template, TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.lexer import TOKEN_FLOAT, TOKEN_INTEGER, Token, TokenStream
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from reconciler.errors import ReconcilerError
from reconciler.rendering import methods
from reconciler.rendering.attributes import allowed
from reconciler.rendering.blanks import Blank, Looked, joined, most_characters
from reconciler.rendering.durations import with_durations
from reconciler.rendering.limits import CALL, MAX_NUMERAL, LimitExceeded, Meter, number, numeral
from reconciler.rendering.missing import Missing
from reconciler.rendering.secret import Hidden, NotKnown, Secret
from reconciler.rendering.trouble import Trouble, Troubled, explained
from reconciler.rendering.values import plain, printed

MAX_TOKENS = 30_000
"""Words and signs of one template: what can be read and compiled within two seconds."""
MAX_LOADED = 20_000
"""Pieces of code that one sandbox keeps."""
FREE_CHARACTERS = 256
"""Texts up to this length are paid for by the expression that they stand in."""

GLOBALS: Mapping[str, Any] = {"range": range, "dict": dict, "cycler": Cycler, "joiner": Joiner, "namespace": Namespace}
"""Functions that every template has; they and `VALUES` cannot be names of config."""


class Sandbox(ImmutableSandboxedEnvironment):
    """Where templates run. One render at a time; others wait."""

    intercepted_binops = frozenset({"+", "-", "*", "**", "%"})

    def __init__(self, templates: Mapping[str, Callable[[], CodeType]] | None = None) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=Missing,
            optimized=False,
            autoescape=False,
            cache_size=0,
            extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        )
        from reconciler.rendering.filters import FILTERS  # noqa: PLC0415 - filters are wrapped for this class
        from reconciler.rendering.predicates import TESTS  # noqa: PLC0415

        self.filters = dict(FILTERS)
        self.tests = dict(TESTS)
        self.globals = dict(GLOBALS)
        self.codes = templates or {}
        self.meter = Meter()
        self.troubles: list[Trouble] = []
        self.names: Collection[str] = ()
        """Names that the running template can use, for hints."""
        self._loaded: dict[str, Template] = {}
        self._by_code: dict[CodeType, Template] = {}
        self._lock = threading.RLock()

    # -- running

    def template(self, code: CodeType) -> Template:
        """Code as a template of this sandbox."""
        if (known := self._by_code.get(code)) is not None:
            return known
        if len(self._by_code) >= MAX_LOADED:
            self._by_code.clear()
        template = self._by_code[code] = Template.from_code(self, code, self.globals)
        return template

    def render(self, template: Template, variables: Mapping[str, Any], names: Collection[str] = ()) -> str | Secret:
        """The text of a template. `names` are those that a hint may suggest.

        Raises:
            Troubled: with all that is wrong in it.
            NotKnown: it depends on a value that is not known.
        """
        text: str | Secret = self._run(
            template, variables, names, lambda context: self.concat(template.root_render_func(context))
        )
        return text

    def evaluate(self, template: Template, variables: Mapping[str, Any], names: Collection[str] = ()) -> Any:
        """The value of a compiled expression: text, numbers, booleans, None, secrets, lists and maps of them.

        Raises: as `render`.
        """
        return self._run(template, variables, names, lambda context: _result(template, context))

    def _run(
        self,
        template: Template,
        variables: Mapping[str, Any],
        names: Collection[str],
        work: Callable[[Context], Any],
    ) -> Any:
        context = Context(self, {**GLOBALS, **variables}, template.name, template.blocks)
        with self._lock:
            outer = self.meter, self.troubles, self.names
            self.meter, self.troubles, self.names = Meter(), [], names
            try:
                result = self._guarded(work, context)
                if self.troubles:
                    self._loaded.clear()
                    raise Troubled(self.troubles)
            finally:
                self.meter, self.troubles, self.names = outer
            return result

    def _guarded(self, work: Callable[[Context], Any], context: Context) -> Any:
        try:
            return work(context)
        except (ReconcilerError, Looked):
            raise
        except Troubled as error:
            self.troubles.extend(error.troubles)
        except NotKnown:
            if not self.troubles:
                raise
        except Exception as error:  # noqa: BLE001 - whatever a template causes is its problem, told with its place
            self._loaded.clear()
            self.troubles.append(explained(error, self.codes))
        return None

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:  # noqa: A002, ARG002
        """A template of the bundle, for include, import and extends."""
        if isinstance(name, Hidden):
            name.refuse()
        if isinstance(name, Template):
            return name
        if (template := self._loaded.get(name)) is None:
            if not isinstance(name, str) or name not in self.codes:
                raise TemplateNotFound(str(name))
            template = self._loaded[name] = Template.from_code(self, self.codes[name](), self.globals)
        return template

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002, ARG002
        return self.get_template(name)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        stream = super()._tokenize(source, name, filename, state)
        return TokenStream(_counted(stream), name, filename)

    # -- what generated code calls

    def text(self, value: Any) -> str | Secret | Blank:
        """What `{{ value }}` shows."""
        if type(value) is str:
            if len(value) > FREE_CHARACTERS:
                self.meter.text(len(value))
            return value
        if type(value) is int or type(value) is bool:
            return str(value)
        if type(value) is Blank:
            if len(value.marked) > FREE_CHARACTERS:
                self.meter.text(len(value.marked))
            return value
        return printed(self.meter, value)

    def concat(self, parts: Iterable[Any]) -> Any:
        """Texts, or secrets, put together; paid for before that, since one text may stand among them many times."""
        pieces = list(parts)
        try:
            length = sum(map(len, pieces))
        except (Looked, NotKnown):
            length = sum(map(most_characters, pieces))
        self.meter.text(length)
        return joined(pieces)

    def operand(self, value: Any) -> Any:
        """One side of a comparison, paid for."""
        kind = type(value)
        if kind is int or value is None or kind is bool or (kind is str and len(value) < FREE_CHARACTERS):
            return value
        if isinstance(value, Hidden):
            value.refuse()
        self.meter.survey(value)
        return value

    def built(self, value: Any) -> Any:
        """A list or map that a template wrote, paid for with all that is in it."""
        self.meter.survey(value)
        return value

    def result(self, value: Any) -> Any:
        """The value of an expression, as it is handed out."""
        if type(value) is Blank:
            return value
        self.meter.survey(value)
        return plain(value)

    def tick(self, units: int) -> bool:
        """Pay for the test of a loop, and go on."""
        self.meter.charge(units)
        return True

    def slice(self, value: Any, start: Any, stop: Any, step: Any) -> Any:
        """`value[start:stop:step]`."""
        part = value[start:stop:step]
        self.meter.survey(part)
        return part

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """The operators that can explode."""
        if type(left) is int and type(right) is int and operator in "+-":
            return number(left + right if operator == "+" else left - right)
        return methods.OPERATORS[operator](self.meter, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """`obj.attribute`: keys of maps first, then what is allowed."""
        if type(obj) is dict or isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                pass
        return self._attribute(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`."""
        if isinstance(obj, Hidden):
            obj.refuse()
        if isinstance(obj, Undefined):
            return obj[argument]
        if isinstance(obj, Mapping | list | tuple | str | range):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        if isinstance(argument, str):
            return self._attribute(obj, argument)
        return self.undefined(obj=obj, name=argument)

    def _attribute(self, obj: Any, name: str) -> Any:
        if isinstance(obj, Undefined) and not name.startswith("_"):
            return getattr(obj, name)
        if isinstance(obj, Hidden):
            return methods.of_hidden(obj, name)
        if name.startswith("_"):
            raise SecurityError(f'"{name}" is internal to Python')
        if isinstance(obj, Namespace | TemplateModule):
            return getattr(obj, name, None) or self._maybe(obj, name)
        if isinstance(obj, TemplateReference):
            return self._block(obj, name)
        if name in allowed(obj):
            return (
                functools.partial(methods.formatted, self, self.meter, obj) if name == "format" else getattr(obj, name)
            )
        if hasattr(obj, name):
            raise SecurityError(f'"{name}" cannot be used in templates')
        return self.undefined(obj=obj, name=name)

    def _block(self, own: TemplateReference, name: str) -> Any:
        try:
            return own[name]
        except KeyError:
            return self.undefined(f'there is no block "{name}"', name=name)

    def _maybe(self, obj: Any, name: str) -> Any:
        try:
            return getattr(obj, name)
        except AttributeError:
            return self.undefined(obj=obj, name=name)

    def call(__self, __context: Context, __obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as its base
        """Call what a template may call: macros, loops and blocks, functions that it was given, allowed methods."""
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if isinstance(__obj, Macro | LoopContext | BlockReference | Undefined | Hidden):
            __self.meter.charge(2 * CALL + len(args) + len(kwargs))
            return __context.call(__obj, *args, **kwargs)
        if isinstance(__obj, BuiltinMethodType | MethodType):
            return methods.called(__self.meter, __obj, args, kwargs)
        secrets = __self.meter.survey(args, kwargs)
        result = __obj(*args, **kwargs)
        __self.meter.survey(result)
        return methods.tainted(result, secrets)


def _result(template: Template, context: Context) -> Any:
    for _ in template.root_render_func(context):
        pass
    return context.vars["result"]


def _counted(stream: TokenStream) -> Iterator[Token]:
    """The words of a template, up to a limit; durations become seconds."""
    for count, token in enumerate(with_durations(_bounded(stream))):
        if count > MAX_TOKENS:
            raise LimitExceeded(f"it has more than {MAX_TOKENS:,} words; split it")
        yield token


def _bounded(stream: TokenStream) -> Iterator[Token]:
    """The words of a template, whose numbers have few digits."""
    try:
        for token in stream:
            if token.type in {TOKEN_INTEGER, TOKEN_FLOAT}:
                numeral(token.value)
            yield token
    except ValueError:  # Python reads no number of more than 4,300 digits
        numeral(MAX_NUMERAL)
