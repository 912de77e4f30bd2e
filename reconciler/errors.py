"""What can go wrong, as people should read it: what, where, why, and what to do now.

A `Problem` is a value, so that validation can collect many; an error carries one or more of them.
The class of an error tells a loop what to do: `Unavailable` is worth another try, the others are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a problem is: a position in a file (`line` and `column` count from 1), or a part of the fleet."""

    file: str = ""
    line: int = 0
    column: int = 0
    host: str = ""
    app: str = ""
    resource: str = ""

    def __str__(self) -> str:
        if self.file:
            numbers = [str(number) for number in (self.line, self.column) if number]
            return ":".join([self.file, *numbers])
        return " ".join(part for part in (self.host, self.app, self.resource) if part)


NOWHERE = Place()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong. `code` is a kebab-case name that stands in docs/reference/errors.md."""

    place: Place
    message: str
    hint: str = ""
    code: str = field(default="invalid", compare=False)

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place != NOWHERE else ""
        hint = f" {self.hint}" if self.hint else ""
        message = self.message if not hint or self.message.endswith((".", "?", "!", ":")) else f"{self.message}."
        return f"{place}{message}{hint}"


MAX_QUOTED = 80


def cut(text: str) -> str:
    """Text of a person for quoting in a message, not endless."""
    return text if len(text) <= MAX_QUOTED else f"{text[: MAX_QUOTED - 3]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming the known name that is most like the wrong one; empty where none is like it."""
    import difflib  # noqa: PLC0415 - only errors need it

    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {close[0]}?" if close else ""


class ReconcilerError(Exception):
    """Something that a person must know, carried as one or more problems.

    Every subclass ends a command with exit code 1 unless the command says otherwise.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = (
            (problems,) if isinstance(problems, Problem) else tuple(sorted(set(problems)))
        )
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    @classmethod
    def of(cls, code: str, message: str, *, place: Place = NOWHERE, hint: str = "") -> Self:
        """An error with a single problem."""
        return cls(Problem(place, message, hint, code))


class InvalidInput(ReconcilerError):
    """Manifests, templates, arguments or settings that a person has to correct."""


class Refused(ReconcilerError):
    """Understood, but not done: a guard, a lease that someone else holds, a signature that does not verify."""


class Unavailable(ReconcilerError):
    """Redis, git or a host cannot be reached just now; loops try again with backoff."""


class HostFailed(ReconcilerError):
    """A host could not be brought to its state; other hosts go on (exit code 3)."""


def mistake_of_ours(error: Exception, place: Place = NOWHERE) -> Problem:
    """An exception that nobody foresaw, as a problem that people can report."""
    import traceback  # noqa: PLC0415 - only mistakes need it

    where = traceback.extract_tb(error.__traceback__)[-1]
    file = where.filename.rpartition("/")[2]
    message = f"internal error: {type(error).__name__}: {error} ({file}:{where.lineno})"
    return Problem(place, message, "Please report it, with what -v shows", "internal-error")
