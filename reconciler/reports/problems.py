"""Problems for a terminal, for GitHub's annotations and as JSON.

Every command prints its errors through here; what a problem says is decided where it is found.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import NOWHERE, Problem
from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.visible import visible, visible_lines


def problems_text(problems: Iterable[Problem], *, color: bool) -> str:
    """`error: file:line:column: message. Hint.`, one line each, in the order of their places."""
    paint = Palette(color)
    return "".join(f"{paint.bad('error:')} {_line(problem, paint)}\n" for problem in _ordered(problems))


def problems_github(problems: Iterable[Problem]) -> str:
    """Workflow commands that show each problem beside its line in the pull request.

    Escapes: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
    """
    return "".join(_annotation(problem) for problem in _ordered(problems))


def problems_json(problems: Iterable[Problem]) -> str:
    """Every problem with its place; numbers of 0 and empty texts mean "not known".

    {"format": 1, "problems": [{"place": {"file", "line", "column", "host", "app", "resource"}, "message", "hint",
    "code"}...]}
    """
    return document(problems=_ordered(problems))


def _ordered(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(problems))


def _line(problem: Problem, paint: Palette) -> str:
    place = f"{paint.strong(visible(str(problem.place)))}: " if problem.place != NOWHERE else ""
    first, *more = visible_lines(str(problem).removeprefix(f"{problem.place}: "))
    return "\n".join([f"{place}{first}", *(f"  {line}" for line in more)])


def _annotation(problem: Problem) -> str:
    place = problem.place
    known = {"file": place.file, "line": place.line, "col": place.column, "title": problem.code}
    properties = ",".join(f"{name}={_property(visible(str(value)))}" for name, value in known.items() if value)
    return f"::error {properties}::{_data(_message(problem))}\n"


def _message(problem: Problem) -> str:
    return "\n".join(visible_lines(str(problem)))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
