"""Parts of compiled expressions: functions of a view. What depends on a value that is not known is not known: None."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

from reconciler.alerting.view import Value, View

Closure: TypeAlias = Callable[[View], Value]


def negation(inner: Closure) -> Closure:
    def run(view: View) -> Value:
        found = inner(view)
        return None if found is None else not found

    return run


def conjunction(left: Closure, right: Closure) -> Closure:
    def run(view: View) -> Value:
        first = left(view)
        if first is not None and not first:
            return False
        second = right(view)
        if second is not None and not second:
            return False
        return None if first is None or second is None else True

    return run


def disjunction(left: Closure, right: Closure) -> Closure:
    def run(view: View) -> Value:
        first = left(view)
        if first:
            return True
        second = right(view)
        if second:
            return True
        return None if first is None or second is None else False

    return run


def applied(function: Callable[[Any], float], inner: Closure) -> Closure:
    def run(view: View) -> Value:
        found = inner(view)
        return None if found is None or isinstance(found, str) else function(found)

    return run


def compared(compare: Callable[[Any, Any], bool], left: Closure, right: Closure) -> Closure:
    """Values of different types are not equal, and which is greater is not known."""

    def run(view: View) -> Value:
        first, second = left(view), right(view)
        if first is None or second is None:
            return None
        if isinstance(first, str) != isinstance(second, str):
            return compare is operator.ne if compare in {operator.eq, operator.ne} else None
        return compare(first, second)

    return run


def arithmetic(calculate: Callable[[Any, Any], float], left: Closure, right: Closure) -> Closure:
    """Division by zero and numbers too large are not known."""

    def run(view: View) -> Value:
        first, second = left(view), right(view)
        if first is None or second is None or isinstance(first, str) or isinstance(second, str):
            return None
        try:
            found = calculate(first, second)
            return found if math.isfinite(found) else None
        except (ZeroDivisionError, OverflowError):
            return None

    return run
