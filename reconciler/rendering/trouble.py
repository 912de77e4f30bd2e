"""What went wrong while a template was read or rendered, before it is known for which resource and host.

Raised by the sandbox and by compilation; the renderer adds the app, the host and the place.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from types import FrameType, TracebackType

from jinja2 import TemplateNotFound, TemplateSyntaxError
from jinja2.exceptions import SecurityError

from reconciler.errors import NOWHERE, Place, Problem, cut
from reconciler.rendering.limits import LimitExceeded
from reconciler.resources.values import dataclass

MAX_LISTED = 12
"""Names that a hint lists."""
MAX_TROUBLES = 100
"""Of one template; more help nobody."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong in a template, or in a text of a manifest (`template` is empty then)."""

    template: str
    line: int
    code: str
    message: str
    hint: str = ""
    column: int = 0
    """In an expression that cannot be read, from 1."""

    @property
    def place(self) -> Place:
        return Place(file=f"templates/{self.template}", line=self.line) if self.template else NOWHERE

    def problem(self) -> Problem:
        return Problem(self.place, self.message, self.hint, self.code)


class Troubled(Exception):
    """A template cannot be read or rendered."""

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.troubles = tuple(dict.fromkeys(troubles))
        super().__init__("; ".join(trouble.message for trouble in self.troubles))


def did_you_mean(name: object, names: Collection[str], *, listing: bool = True) -> str:
    """A hint that names the closest and all available names."""
    close = difflib.get_close_matches(str(name), names, n=1) if len(names) < 1000 else []
    meant = f"Did you mean {close[0]}?" if close else ""
    if not listing or not names:
        return meant
    more = " ..." if len(names) > MAX_LISTED else ""
    return f"{meant} Available: {', '.join(sorted(names)[:MAX_LISTED])}{more}".strip()


def position(frame: FrameType | None, line: int) -> tuple[str, int] | None:
    """Template and line of a frame of a template's code; None for any other code."""
    template = frame.f_globals.get("__jinja_template__") if frame is not None else None
    return None if template is None else (template.name or "", template.get_corresponding_lineno(line))


def raised_at(traceback: TracebackType | None) -> tuple[str, int]:
    """Template and line where an error was raised: the innermost frame of a template's code."""
    found = ("", 0)
    while traceback is not None:
        found = position(traceback.tb_frame, traceback.tb_lineno) or found
        traceback = traceback.tb_next
    return found


def explained(error: BaseException, templates: Collection[str]) -> Trouble:  # noqa: PLR0911 - a table
    """An error that a template raised while it was rendered, as people should read it."""
    name, line = raised_at(error.__traceback__)
    match error:
        case TemplateSyntaxError():
            return syntax_trouble(error)
        case TemplateNotFound():
            missing = error.name or error.message or ""
            return Trouble(
                name,
                line,
                "template-missing",
                f'there is no template "{missing}"',
                did_you_mean(missing, templates, listing=False),
            )
        case LimitExceeded():
            return Trouble(name, line, "template-limit", f"stopped: {error}")
        case RecursionError():
            return Trouble(name, line, "template-limit", "stopped: it calls or includes itself without end")
        case MemoryError() | OverflowError():
            return Trouble(name, line, "template-limit", "stopped: it makes something too large")
        case SecurityError():
            return Trouble(
                name, line, "template-unsafe", str(error), "Templates reach only the values that they are given"
            )
        case KeyError(args=[key, *_]):
            return Trouble(name, line, "template-error", f'there is no key "{cut(str(key))}"')
        case _:
            return Trouble(name, line, "template-error", str(error) or type(error).__name__)


def syntax_trouble(error: TemplateSyntaxError) -> Trouble:
    """A syntax error, or a filter or test that does not exist."""
    message = error.message or "it cannot be read"
    return Trouble(error.name or "", error.lineno, "template-syntax", message[:1].lower() + message[1:].rstrip("."))
