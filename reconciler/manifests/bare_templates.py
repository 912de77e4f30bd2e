"""A `{{ x }}` that somebody forgot to quote, found where it stands: YAML stumbles over it later, often lines below.

Called by `reading` where a file cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined] # made by an optional import there
from ruamel.yaml.error import YAMLError

from reconciler.resources.values import dataclass

_BARE_TEMPLATE = re.compile(r"(?:[:,\[-]\s+|\[)(\{[{%].*)")
_FIRST_IN_FLOW = re.compile(r".*?[}%]\}[^\s,\]}]*")
"""Of what stands from a template on, the template and what belongs to it, inside of [ ] or { }."""
_MOST_SUSPECTS = 8
"""Bare templates above the place where a file cannot be read on, each of which is tried."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A template that stands where a value begins, without quotes, or inside of a text."""

    text: str
    line: int
    column: int


def bare_template(text: str, line: int) -> Bare | None:
    """The one because of which a text cannot be read on at that line: it can once that is quoted."""
    return next((bare for bare in _bare_templates(text, line) if _reads_further(text, bare, line)), None)


def _bare_templates(text: str, last_line: int) -> Iterator[Bare]:
    """Those up to a line, the nearest first."""
    lines = text.splitlines()[:last_line]
    found = ((at + 1, source, _BARE_TEMPLATE.search(source)) for at, source in reversed(list(enumerate(lines))))
    for line, source, bare in islice((it for it in found if it[2]), _MOST_SUSPECTS):
        if bare:
            yield Bare(_extent(source[: bare.start(1)], bare[1]), line, bare.start(1) + 1)


def _extent(before: str, rest: str) -> str:
    """How far a template's value goes: to the end of the line, in a flow to the next value."""
    first = _FIRST_IN_FLOW.match(rest) if "[" in before or "{" in before else None
    return first[0] if first else rest.partition(" #")[0].strip()


def _reads_further(text: str, bare: Bare, line: int) -> bool:
    """Whether a file that cannot be read on at a line can be, once this template is quoted."""
    lines = text.splitlines()
    source, start = lines[bare.line - 1], bare.column - 1
    lines[bare.line - 1] = f"{source[:start]}x{source[start + len(bare.text) :]}"
    try:
        parser = CParser("\n".join(lines).encode())
        while parser.get_event() is not None:
            pass
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return mark is not None and mark.line + 1 > line
    return True


def quoted(text: str) -> str:
    """The text as YAML takes it in quotes."""
    return f'"{text}"' if '"' not in text and "\\" not in text else "'" + text.replace("'", "''") + "'"
