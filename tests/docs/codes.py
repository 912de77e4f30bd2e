"""Finds every error code in the package: what stands as `code` in any call, as its default, or in a table of errors."""

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

PARAMETER = "code"
ERRORS = {"InvalidInput", "Refused", "Unavailable", "HostFailed"}
KEBAB = re.compile(r"[a-z][a-z0-9]*(-([a-z0-9]+|\*))*")


def codes(package: Path) -> set[str]:
    """All error codes below a folder; `*` stands for what is only known when it runs."""
    nodes = [node for path in package.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    positions = dict(_takers(nodes))
    texts = {text for value in _values(nodes, positions) for text in _texts(value)}
    return {text for text in texts if KEBAB.fullmatch(text)}


def _takers(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Functions and dataclasses that take a code, and its position among their arguments."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = _arguments(node)
        elif isinstance(node, ast.ClassDef):
            makers = [it for it in node.body if isinstance(it, ast.FunctionDef) and it.name == "__init__"]
            fields = [it.target for it in node.body if isinstance(it, ast.AnnAssign)]
            names = _arguments(makers[0]) if makers else [it.id for it in fields if isinstance(it, ast.Name)]
        else:
            continue
        if PARAMETER in names:
            yield node.name, names.index(PARAMETER)


def _arguments(function: ast.FunctionDef) -> list[str]:
    names = [it.arg for it in function.args.posonlyargs + function.args.args]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _values(nodes: Iterable[ast.AST], positions: dict[str, int]) -> Iterator[ast.expr]:
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from (keyword.value for keyword in node.keywords if keyword.arg == PARAMETER)
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = positions.get(called)
            if place is not None and place < len(node.args):
                yield node.args[place]
        elif isinstance(node, ast.FunctionDef):
            yield from _default(node.args)
        elif isinstance(node, ast.Tuple):
            pairs = itertools.pairwise(node.elts)
            yield from (code for error, code in pairs if isinstance(error, ast.Name) and error.id in ERRORS)


def _default(arguments: ast.arguments) -> Iterator[ast.expr]:
    positional = arguments.posonlyargs + arguments.args
    defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
    defaults |= {name: value for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    yield from (value for name, value in defaults.items() if name.arg == PARAMETER)


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in value.values)
