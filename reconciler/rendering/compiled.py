"""Texts compiled to code that any sandbox can run, with what they read; kept between bundles, since most share theirs.

Called by the renderer, config values and expressions. What is wrong with a text is part of the result, not raised.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import CodeType
from typing import TypeAlias

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TOKEN_WHITESPACE
from jinja2.parser import Parser

from reconciler.rendering.environment import Sandbox
from reconciler.rendering.limits import LimitExceeded
from reconciler.rendering.metering import MeteredCodeGenerator
from reconciler.rendering.reads import Reading, Selector, nodes_below, reading
from reconciler.rendering.trouble import MAX_TROUBLES, Trouble, Troubled, did_you_mean, syntax_trouble
from reconciler.resources.values import dataclass, field, replace

MAX_TEMPLATE = 1 << 20
"""Characters of one template."""
_Parsed: TypeAlias = "tuple[nodes.Template, bool]"
"""A syntax tree, and whether it is that of one expression."""
_MARKS = ("{{", "{%", "{#")


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A text that has been read."""

    name: str = ""
    """Of the template; empty for a text of a manifest."""
    reading: Reading = field(default_factory=Reading)
    troubles: tuple[Trouble, ...] = ()
    body: CodeType | None = None
    is_expression: bool = False
    """The text is exactly one expression, whose value keeps its type."""
    selectors: tuple[Compiled, ...] = ()
    """The arguments of its `hosts(...)`."""

    @property
    def code(self) -> CodeType:
        """Its code.

        Raises:
            Troubled: it cannot be compiled.
        """
        if self.troubles or self.body is None:
            raise Troubled(self.troubles)
        return self.body


def is_template(text: str) -> bool:
    """Whether a text holds something to evaluate."""
    return "{" in text and any(mark in text for mark in _MARKS)


@functools.cache
def _grammar() -> Sandbox:
    """The sandbox that only reads and compiles."""
    return Sandbox()


@functools.lru_cache(maxsize=8192)
def compile_template(name: str, text: str) -> Compiled:
    """A file below `templates/`; an empty name: a text of a manifest."""
    return _compiled(name, text, lambda grammar: (grammar.parse(text, name or None), False))


@functools.lru_cache(maxsize=8192)
def compile_value(text: str) -> Compiled:
    """A text of a manifest. If it is exactly one `{{ expression }}`, its value keeps the expression's type."""

    def parse(grammar: Sandbox) -> _Parsed:
        tree = grammar.parse(text)
        inside = _single(tree)
        return (tree, False) if inside is None else (_assignment(inside), True)

    return _compiled("", text, parse)


@functools.lru_cache(maxsize=8192)
def compile_expression(text: str) -> Compiled:
    """An expression without braces, such as a `when`."""
    return _compiled("", text, lambda grammar: (_assignment(_expression(grammar, text)), True))


def expression_tree(text: str) -> nodes.Expr:
    """The syntax tree of an expression, for who evaluates it in another way.

    Raises:
        Troubled: it cannot be read.
        LimitExceeded: it is too long or nested too deeply.
    """
    try:
        return _expression(_grammar(), text)
    except RecursionError:
        raise LimitExceeded("it is nested too deeply") from None


def _expression(grammar: Sandbox, text: str) -> nodes.Expr:
    if is_template(text):
        raise TemplateSyntaxError("an expression is written without braces", 1)
    parser = Parser(grammar, text, state="variable")
    try:
        inside = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f'unexpected "{parser.stream.current.value}"', parser.stream.current.lineno)
    except TemplateSyntaxError as error:
        left = sum(1 for _ in parser.stream)
        trouble = replace(syntax_trouble(error), column=_column(grammar, text, left))
        raise Troubled([trouble]) from None
    inside.set_environment(grammar)
    return inside


def _column(grammar: Sandbox, text: str, left: int) -> int:
    """Column (from 1) of the word with which the last `left` words of an expression begin."""
    columns: list[int] = []
    length = 0
    for _, kind, word in grammar.lexer.tokeniter(text, None, state="variable"):
        if kind != TOKEN_WHITESPACE:
            columns.append(length + 1)
        length += len(word)
    return (columns[-left:] or [length + 1])[0] if left else length + 1


def _single(tree: nodes.Template) -> nodes.Expr | None:
    match tree.body:
        case [nodes.Output(nodes=[inside])] if not isinstance(inside, nodes.TemplateData):
            return inside
    return None


def _assignment(inside: nodes.Expr) -> nodes.Template:
    """A template that only leaves the value of an expression behind, as `result`."""
    line = inside.lineno
    value = nodes.Call(nodes.EnvironmentAttribute("result"), [inside], [], None, None, lineno=line)
    body = [nodes.Assign(nodes.Name("result", "store", lineno=line), value, lineno=line)]
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(_grammar())
    return tree


def _compiled(name: str, text: str, parse: Callable[[Sandbox], _Parsed]) -> Compiled:  # noqa: PLR0911 - a table of errors
    if len(text) > MAX_TEMPLATE:
        return Compiled(
            name, troubles=(Trouble(name, 0, "template-limit", f"it is longer than {MAX_TEMPLATE:,} characters"),)
        )
    grammar = _grammar()
    try:
        tree, is_expression = parse(grammar)
        below = nodes_below(tree)
        if troubles := tuple(islice(_static_troubles(name, below, grammar), MAX_TROUBLES)):
            return Compiled(name, troubles=troubles)
        return _generated(name, tree, below, grammar, is_expression=is_expression)
    except LimitExceeded as error:
        return Compiled(name, troubles=(Trouble(name, 0, "template-limit", str(error)),))
    except TemplateSyntaxError as error:
        return Compiled(name, troubles=(replace(syntax_trouble(error), template=name),))
    except Troubled as error:
        return Compiled(name, troubles=error.troubles)
    except (RecursionError, SyntaxError, MemoryError):
        return Compiled(name, troubles=(Trouble(name, 0, "template-limit", "it is nested too deeply"),))


def _generated(
    name: str, tree: nodes.Template, below: Sequence[nodes.Node], grammar: Sandbox, *, is_expression: bool
) -> Compiled:
    generator = MeteredCodeGenerator(grammar, name)
    generator.visit(tree)
    found = reading(tree, below, frozenset(generator.outside))
    selectors = tuple(_selector(name, selector, grammar) for selector in found.selectors)
    body = compile(generator.code, f"<template {name}>", "exec")
    return Compiled(name, found, (), body, is_expression, selectors)


def _selector(name: str, selector: Selector, grammar: Sandbox) -> Compiled:
    """The argument of a `hosts(...)`, compiled by itself."""
    if selector.argument is not None:
        tree = _assignment(selector.argument)
        return _generated(name, tree, nodes_below(tree), grammar, is_expression=True)
    hint = "Its selector may use config, vars and host, so that it is known before anything is rendered"
    return Compiled(name, troubles=(Trouble(name, selector.line, "hosts-selector", selector.complaint, hint),))


def _static_troubles(name: str, below: Sequence[nodes.Node], grammar: Sandbox) -> Iterator[Trouble]:
    """What can be told without running: unknown filters and tests, and reaching for Python's internals."""
    for kind, types, known in (("filter", nodes.Filter, grammar.filters), ("test", nodes.Test, grammar.tests)):
        for used in below:
            if isinstance(used, types) and used.name not in known:
                hint = did_you_mean(used.name, known, listing=False)
                yield Trouble(name, used.lineno, "template-syntax", f'there is no {kind} "{used.name}"', hint)
    for reached in below:
        for attribute in _attributes(reached):
            if "__" in attribute and any(part.startswith("__") for part in attribute.split(".")):
                message = f'"{attribute}" is internal to Python'
                yield Trouble(
                    name,
                    reached.lineno,
                    "template-unsafe",
                    message,
                    "Templates reach only the values that they are given",
                )


def _attributes(node: nodes.Node) -> Iterator[str]:
    match node:
        case nodes.Getattr(attr=attribute):
            yield attribute
        case nodes.Getitem(arg=nodes.Const(value=str(attribute))):
            yield attribute
        case nodes.Filter(name="attr", args=[nodes.Const(value=str(attribute)), *_]):
            yield attribute
        case nodes.Filter(kwargs=[*keywords]):
            for keyword in keywords:
                if keyword.key == "attribute" and isinstance(keyword.value, nodes.Const):
                    yield str(keyword.value.value)


def closure(names: Iterable[str], templates: Mapping[str, str]) -> tuple[str, ...]:
    """Names of some templates and of all that they include, import or extend, sorted; unknown names are left out."""
    found: set[str] = set()
    waiting = [name for name in names if name in templates]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        used = compile_template(name, templates[name]).reading
        if used.any_template:
            return tuple(sorted(templates))
        waiting += [other for other in used.templates if other in templates]
    return tuple(sorted(found))
