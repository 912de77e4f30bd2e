"""How much a render may do: a meter of work and of text, and the prices of operations that can explode.

Used by the environment and the filters. The units are counted, not timed, so that equal input gives an equal
answer on every machine; only regular expressions, which cannot be counted, get an allowance of processor time.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any

from reconciler.rendering.blanks import Blank
from reconciler.rendering.secret import Secret

MAX_UNITS = 3_000_000
"""Work of one render: a unit is a node of an expression, an item of a list or `CHARACTERS_PER_UNIT` of text; about
two seconds on a slow machine."""
CHARACTERS_PER_UNIT = 16
CALL = 8
"""Units of a call from a template."""
MAX_TEXT = 8 << 20
"""Characters of one text."""
MAX_NUMBER_BITS = 4096
"""Of any whole number: a template that holds larger ones could make one step last for minutes."""
MAX_NUMERAL = 10**40
"""Numbers that are written into a template are smaller."""
MAX_WIDTH = 100_000
"""Width, precision or count that a template may ask for."""
MAX_PATTERN_SECONDS = 0.5
"""Processor time that all regular expressions of one render may take."""


class LimitExceeded(Exception):
    """A template wanted more work, text or depth than a render may have. The message says of what."""


class Meter:
    """What one render has left."""

    __slots__ = ("left", "pattern_seconds", "patterns")

    def __init__(self, units: int = MAX_UNITS) -> None:
        self.left = units
        self.pattern_seconds = MAX_PATTERN_SECONDS
        self.patterns: dict[tuple[str, int], Any] = {}
        """Regular expressions that are paid for."""

    def charge(self, units: int) -> None:
        """Take units off, before the work is done."""
        self.left -= units
        if self.left < 0:
            raise LimitExceeded(f"it does more work than a template may ({MAX_UNITS:,} steps)")

    def text(self, length: int) -> None:
        """Pay for a text of that many characters, before it is made."""
        if length > MAX_TEXT:
            raise LimitExceeded(f"it makes a text longer than {MAX_TEXT:,} characters")
        self.charge(1 + length // CHARACTERS_PER_UNIT)

    def survey(self, *values: Any) -> tuple[Secret, ...]:
        """Pay for everything in some values, counting what stands twice twice, and say which secrets are in them."""
        secrets: list[Secret] = []
        pending = list(values)
        units = 0
        while pending:
            value = pending.pop()
            units += 1
            kind = type(value)
            if kind is str:
                units += len(value) // CHARACTERS_PER_UNIT
            elif kind is int:
                units += number(value).bit_length() >> 6
            elif kind is dict:
                pending.extend(value)
                pending.extend(value.values())
            elif kind is list or kind is tuple:
                pending.extend(value)
            elif kind is range:
                units += len(value)
            elif kind is Secret:
                secrets.append(value)
            elif kind is Blank:
                value.refuse()
            if units + len(pending) > self.left:
                break
        self.charge(units + len(pending))
        return tuple(secrets)

    def timed(self, work: Callable[[float], Any]) -> Any:
        """Do work that stops by itself after the seconds that it is handed.

        Those pass also while others have the processor, so work that was stopped early is done again.
        """
        while self.pattern_seconds > MAX_PATTERN_SECONDS / 10:
            started = time.thread_time()
            try:
                return work(self.pattern_seconds)
            except TimeoutError:
                continue
            finally:
                self.pattern_seconds -= time.thread_time() - started
        raise LimitExceeded("a regular expression takes too long, it backtracks without end")


def width(value: Any) -> int:
    """A width, count or precision that a template asks for, if it is a sane one."""
    if isinstance(value, int) and abs(value) > MAX_WIDTH:
        raise LimitExceeded(f"it asks for a width or count of more than {MAX_WIDTH:,}")
    return abs(value) if isinstance(value, int) else 0


def replaced_length(text: str, old: str, new: str) -> int:
    """Length of `text` with every `old` replaced by `new`."""
    return len(text) + text.count(old) * max(len(new) - len(old), 0)


def number(value: int) -> int:
    """A whole number, if it is not too large to compute with."""
    _check_bits(value.bit_length())
    return value


def numeral(value: Any) -> Any:
    """A number that is written into a template."""
    if not -MAX_NUMERAL < value < MAX_NUMERAL and not (isinstance(value, float) and math.isfinite(value)):
        raise LimitExceeded("a number in it has more than 40 digits")
    return value


def subtract(meter: Meter, left: Any, right: Any) -> Any:
    """`left - right` within the limits."""
    meter.charge(1)
    rest = left - right
    return number(rest) if isinstance(rest, int) else rest


def multiply(meter: Meter, left: Any, right: Any) -> Any:
    """`left * right` within the limits."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str) and isinstance(other, int):
            meter.text(len(one) * max(other, 0))
        elif isinstance(one, list | tuple) and isinstance(other, int):
            meter.charge(len(one) * max(other, 0))
    _check_bits(_bits(left) + _bits(right))
    product = left * right
    meter.survey(product)
    return product


def power(meter: Meter, left: Any, right: Any) -> Any:
    """`left ** right` within the limits."""
    meter.charge(1)
    if isinstance(right, int):
        _check_bits(_bits(left) * abs(right))
    return left**right


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _check_bits(bits: int) -> None:
    if bits > MAX_NUMBER_BITS:
        raise LimitExceeded(f"it computes a number of more than {MAX_NUMBER_BITS} bits")


_CONVERSION = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d*)(?:\.(\*|\d*))?")
_FIELD_WIDTH = re.compile(r"\d+")


def check_printf(text: str) -> int:
    """The most that the widths of a %-format can add to its text."""
    return sum(_written_width(part) for found in _CONVERSION.finditer(text) for part in found.groups())


def cuts(text: str) -> bool:
    """Whether a %-format may leave out some of a text that it is given."""
    return any("." in found[0] for found in _CONVERSION.finditer(text))


def check_format_spec(spec: str) -> int:
    """The most that the widths of a `{:spec}` can add to its text."""
    return sum(_written_width(number) for number in _FIELD_WIDTH.findall(spec))


def _written_width(part: str | None) -> int:
    if part == "*":
        raise LimitExceeded("it takes a width from an argument; write the number into the format")
    return width(int(part[:9])) if part else 0


_COUNT = re.compile(r"\{(\d+)")


def pattern_price(pattern: str) -> int:
    """Units that compiling a regular expression takes; one that is too big is refused.

    The compiler writes fixed counts out. Measured: up to 15 us a character, and 0.2 us for each that it writes out.
    """
    copies = 1
    for count in _COUNT.findall(pattern):
        copies *= max(int(count[:9]), 1)
        if copies > MAX_WIDTH:
            raise LimitExceeded("a regular expression repeats too often")
    if len(pattern) > MAX_NUMBER_BITS:
        raise LimitExceeded("a regular expression is too long")
    return 150 + 20 * len(pattern) + (copies - 1) * len(pattern) // 4
