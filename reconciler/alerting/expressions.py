"""Expressions over metrics, compiled once to closures: `avg(cpu.percent, window=5m) > 90`.

Read by `validate`, evaluated by collectors at every sample and by the monitor for fleets, gates and triggers. The
grammar is that of all expressions; what is not a comparison, arithmetic or one of the functions is an error when it
is compiled. A value that is not known makes unknown what depends on it; `and` and `or` are Kleene's.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes

from reconciler.alerting.closures import Closure, applied, arithmetic, compared, conjunction, disjunction, negation
from reconciler.alerting.functions import OVER_ALL, WINDOWED, Samples, predict, quantile
from reconciler.alerting.view import Value, View
from reconciler.errors import NOWHERE, InvalidInput, Problem, cut, did_you_mean
from reconciler.model.metrics import METRICS
from reconciler.model.selector import Selector, SelectorError
from reconciler.rendering import parse_tree
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may speak of.

    Args:
        own: metrics that apps define; None: any plain name may be one.
        each: what the rule goes through one by one, such as `filesystem`; empty: nothing.
        fleet: it is about all hosts together, so that every metric has many values.
    """

    own: frozenset[str] | None = None
    each: str = ""
    fleet: bool = False


_ANYWHERE = Scope()


@dataclass(frozen=True, slots=True, eq=False)
class MetricExpression:
    """A compiled expression."""

    text: str
    windows: Mapping[str, float]
    """Each metric that it reads -> the longest window that it needs, in seconds; 0: the newest value only."""
    _run: Closure
    _subject: Closure

    def holds(self, view: View) -> bool | None:
        """Whether it is true; None if that is not known."""
        found = self._run(view)
        return None if found is None else bool(found)

    def subject(self, view: View) -> Value:
        """The value that people want to see: what stands on the left of the comparison."""
        return self._subject(view)


@functools.lru_cache(maxsize=4096)
def compile_metrics(text: str, scope: Scope = _ANYWHERE) -> MetricExpression:
    """Read an expression over metrics.

    Raises:
        InvalidInput: it cannot be read, or speaks of what there is not; with the column where that is known.
    """
    compiler = _Compiler(text, scope)
    tree = parse_tree(text)
    run = compiler.compile(tree)
    subject = compiler.compile(_subject(tree))
    return MetricExpression(text, compiler.windows, run, subject)


def _subject(tree: nodes.Expr) -> nodes.Expr:
    while isinstance(tree, nodes.And | nodes.Or | nodes.Compare | nodes.Not):
        match tree:
            case nodes.And() | nodes.Or():
                tree = tree.left
            case nodes.Compare():
                return tree.expr
            case nodes.Not():
                tree = tree.node
    return tree


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gteq": operator.ge, "lt": operator.lt,
    "lteq": operator.le,
}  # fmt: skip
_ARITHMETIC: Mapping[type[nodes.BinExpr], Callable[[Any, Any], float]] = {
    nodes.Add: operator.add, nodes.Sub: operator.sub, nodes.Mul: operator.mul, nodes.Div: operator.truediv,
    nodes.FloorDiv: operator.floordiv, nodes.Mod: operator.mod,
}  # fmt: skip
_SIGNS: Mapping[type[nodes.UnaryExpr], Callable[[Any], float]] = {nodes.Neg: operator.neg, nodes.Pos: operator.pos}
_FUNCTIONS = (*WINDOWED, "quantile", "predict", "age", "alerts")


class _Compiler:
    """Turns one syntax tree into closures, noting what it reads."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope
        self.windows: dict[str, float] = {}

    def compile(self, node: nodes.Node) -> Closure:
        """The closure of a node; see the module."""
        match node:
            case nodes.Call(node=nodes.Name(name=name)):
                return self._call(name, node)
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._read(node)
            case nodes.Const():
                return self._constant(node.value)
            case nodes.Compare():
                return self._comparison(node)
        return self._operation(node)

    def _operation(self, node: nodes.Node) -> Closure:
        match node:
            case nodes.UnaryExpr():
                inner = self.compile(node.node)
                return negation(inner) if isinstance(node, nodes.Not) else applied(_SIGNS[type(node)], inner)
            case nodes.And() | nodes.Or():
                join = conjunction if isinstance(node, nodes.And) else disjunction
                return join(self.compile(node.left), self.compile(node.right))
            case nodes.BinExpr() if type(node) in _ARITHMETIC:
                return arithmetic(_ARITHMETIC[type(node)], self.compile(node.left), self.compile(node.right))
        raise self._wrong("it takes comparisons, arithmetic, and, or, not and functions only")

    def _constant(self, value: Any) -> Closure:
        if isinstance(value, bool | int | float | str):
            return lambda _: value
        raise self._wrong("none is no value to compare with")

    def _comparison(self, node: nodes.Compare) -> Closure:
        if len(node.ops) != 1 or node.ops[0].op not in _COMPARISONS:
            raise self._wrong("a comparison has one of == != < <= > >= between two values")
        right = node.ops[0].expr
        for metric, other in ((node.expr, right), (right, node.expr)):
            self._comparable(metric, other)
        compare = _COMPARISONS[node.ops[0].op]
        return compared(compare, self.compile(node.expr), self.compile(right))

    def _comparable(self, metric: nodes.Node, other: nodes.Node) -> None:
        """Metrics and what functions say of them are numbers."""
        path = _path(metric)
        number = isinstance(metric, nodes.Call) or (path and not self._is_fact(path))
        if number and isinstance(other, nodes.Const) and isinstance(other.value, str):
            raise self._wrong(f'"{cut(other.value)}" is text, and it is compared with a number', "Remove the quotes")

    def _read(self, node: nodes.Node) -> Closure:
        path = _path(node)
        if self._is_fact(path):
            fact = path[1:] if path[0] == "facts" else path
            return lambda view: view.fact(fact)
        name = self._metric(path)
        self._needs(name, 0.0)
        self._single(name)
        return lambda view: view.value(name)

    def _is_fact(self, path: tuple[str, ...]) -> bool:
        return len(path) > 1 and path[0] in {"facts", "host"}

    def _metric(self, path: tuple[str, ...]) -> str:
        name = ".".join(path)
        own = self._scope.own
        below = [known for known in METRICS if known.startswith(f"{name}.")]
        if below:
            raise self._wrong(f"{name} is several metrics", f"Known: {', '.join(below[:8])}")
        if name in METRICS or (len(path) == 1 if own is None else name in own):
            return name
        hint = did_you_mean(name, [*METRICS, *(own or ())]) or "Known: reconcile alerts metrics"
        raise self._wrong(f'there is no metric "{name}"', hint)

    def _single(self, name: str) -> None:
        """A metric that has many values here needs a function that makes one of them."""
        each = METRICS[name].each if name in METRICS else ""
        if self._scope.fleet:
            raise self._wrong(f"over the fleet {name} has a value for each host", f"Write it like max({name})")
        if each and each != self._scope.each:
            raise self._wrong(f"{name} has a value for each {each}", f"Add each: {each}, or write max({name})")

    def _call(self, name: str, node: nodes.Call) -> Closure:
        if name not in _FUNCTIONS:
            raise self._wrong(f'there is no function "{name}"', did_you_mean(name, _FUNCTIONS))
        if name == "alerts":
            return self._alerts(node)
        options = {keyword.key: self._number(keyword.value) for keyword in node.kwargs}
        allowed = {"predict": {"window", "ahead"}, "age": set()}.get(name, {"window"})
        for unknown in options.keys() - allowed:
            raise self._wrong(f"{name} takes no {unknown}", did_you_mean(unknown, allowed))
        path = _path(node.args[0]) if node.args else ()
        if not path:
            raise self._wrong(f"{name} takes a metric", f"Write it like {name}(cpu.percent{_example(name)})")
        return self._of_metric(name, self._metric(path), node.args[1:], options)

    def _of_metric(self, name: str, metric: str, rest: Sequence[nodes.Node], options: Mapping[str, float]) -> Closure:
        window = options.get("window")
        if len(rest) != (name == "quantile"):
            raise self._wrong(f"{name} takes a metric{' and a share' * (name == 'quantile')}, and {_example(name)[2:]}")
        if name == "age":
            self._needs(metric, 0.0)
            return lambda view: view.age(metric)
        if window is None and name not in OVER_ALL:
            raise self._wrong(
                f"{name} looks back and needs to know how far", f"Add window: {name}({metric}, window=5m)"
            )
        function = self._function(name, rest, options)
        if window is None:
            self._needs(metric, 0.0)
            return lambda view: function(view.all(metric))
        self._single(metric)
        self._needs(metric, window)
        return lambda view: function(view.window(metric, window))

    def _function(
        self, name: str, rest: Sequence[nodes.Node], options: Mapping[str, float]
    ) -> Callable[[Samples], float | None]:
        if name == "quantile":
            share = self._number(rest[0])
            if not 0 <= share <= 1:
                raise self._wrong("a quantile lies between 0 and 1", "The 95th is 0.95")
            return lambda samples: quantile(samples, share)
        if name == "predict":
            if "ahead" not in options:
                raise self._wrong("predict needs to know how far ahead", "Add ahead=24h")
            ahead = options["ahead"]
            return lambda samples: predict(samples, ahead)
        return WINDOWED[name]

    def _alerts(self, node: nodes.Call) -> Closure:
        match node.args:
            case [nodes.Const(value=str(text))] if not node.kwargs:
                try:
                    selector = Selector.parse(text)
                except SelectorError as error:
                    raise self._wrong(str(error)) from None
                return lambda view: view.firing(selector)
        raise self._wrong("alerts takes a selector", "Write it like alerts('severity=critical')")

    def _number(self, node: nodes.Node) -> float:
        match node:
            case nodes.Const(value=bool()):
                pass
            case nodes.Const(value=int() | float()):
                return float(node.value)
        raise self._wrong("windows and shares are plain numbers or durations", "Write it like window=5m")

    def _needs(self, metric: str, seconds: float) -> None:
        self.windows[metric] = max(seconds, self.windows.get(metric, 0.0))

    def _wrong(self, message: str, hint: str = "") -> InvalidInput:
        return InvalidInput(Problem(NOWHERE, f"cannot use {cut(self._text)!r}: {message}", hint, "invalid-expression"))


def _example(name: str) -> str:
    return {"quantile": ", 0.95, window=5m", "predict": ", window=6h, ahead=24h", "age": ""}.get(name, ", window=5m")


def _path(node: nodes.Node) -> tuple[str, ...]:
    """`filesystem.free_bytes` as a path; empty where it is something else."""
    steps: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        step = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if not isinstance(step, str):
            return ()
        steps.append(step)
        node = node.node
    return (node.name, *reversed(steps)) if isinstance(node, nodes.Name) else ()
