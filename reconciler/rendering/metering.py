"""Generates the code of templates so that it pays for what it does: every body when it is entered, every operand,
every list that it builds. Used by compilation; the prices are those of `limits`.
"""

# ruff: noqa: N802 - Jinja finds the visitor of a node by its name

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Environment

from reconciler.rendering.reads import children


def weight(body: Iterable[nodes.Node]) -> int:
    """How many expressions and statements a body holds, without the bodies inside it, which pay for themselves."""
    count = 0
    pending = list(body)
    while pending:
        node = pending.pop()
        count += 1
        pending.extend(child for child in children(node) if not isinstance(child, nodes.Stmt))
    return count


class MeteredCodeGenerator(CodeGenerator):
    """Jinja's code generator with calls to the environment's meter in what it writes."""

    def __init__(self, environment: Environment, name: str) -> None:
        super().__init__(environment, name or None, None, optimized=False)
        self.outside: set[str] = set()
        """Names that come from outside, known once the code is written."""

    @property
    def code(self) -> str:
        """What was written."""
        written: str = self.stream.getvalue()  # type: ignore[attr-defined] # it is a StringIO where none is given
        return written

    def enter_frame(self, frame: Frame) -> None:
        super().enter_frame(frame)
        self.outside.update(
            name
            for action, name in frame.symbols.loads.values()
            if action == "resolve" and name and name not in self.environment.globals
        )

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        body = list(nodes)
        self.writeline(f"environment.meter.charge({weight(body)})")
        super().blockvisit(body, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        if node.test is not None:
            node.test = self._paid(node.test)
        super().visit_For(node, frame)

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, *_: object) -> None:
        self.write("environment.text(")

    def _output_child_post(self, *_: object) -> None:
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concat([")
        for part in node.nodes:
            self._wrapped("environment.text", part, frame)
            self.write(", ")
        self.write("])")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        self.write("(")
        self._wrapped("environment.operand", node.expr, frame)
        for operand in node.ops:
            self.visit(operand, frame)
        self.write(")")

    def visit_Operand(self, node: nodes.Operand, frame: Frame) -> None:
        operator = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "notin": "not in"}
        self.write(f" {operator.get(node.op, node.op)} ")
        self._wrapped("environment.operand", node.expr, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.slice(")
        self.visit(node.node, frame)
        for bound in (node.arg.start, node.arg.stop, node.arg.step):
            self.write(", ")
            self.visit(bound or nodes.Const(None), frame)
        self.write(")")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002 - as its base
        if isinstance(node.node, nodes.EnvironmentAttribute):
            self._wrapped(f"environment.{node.node.name}", node.args[0], frame)
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self.write("environment.built(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self.write("environment.built(")
        super().visit_Dict(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "store":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.built(")
        super().visit_Tuple(node, frame)
        self.write(")")

    def _wrapped(self, function: str, node: nodes.Expr, frame: Frame) -> None:
        self.write(f"{function}(")
        self.visit(node, frame)
        self.write(")")

    def _paid(self, test: nodes.Node) -> nodes.Expr:
        """The test of a loop, paid for with every item."""
        price = nodes.Const(1 + weight([test]))
        tick = nodes.Call(nodes.EnvironmentAttribute("tick"), [price], [], None, None)
        paid = nodes.And(tick, test, lineno=test.lineno)
        paid.set_environment(self.environment)
        return paid
