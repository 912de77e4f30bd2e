"""What a command prints to, and how: colour only on a terminal, errors to stderr in the asked form."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from reconciler.cli.exits import Exit
from reconciler.errors import Problem, Refused
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Console:
    """Standard output and error of one command."""

    output: str = "text"
    quiet: bool = False
    verbose: bool = False
    plain: bool = False

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Console:
        """As the command's flags and `NO_COLOR` ask."""
        return cls(
            output=getattr(arguments, "output", None) or "text",
            quiet=arguments.quiet,
            verbose=arguments.verbose,
            plain=arguments.no_color or bool(os.environ.get("NO_COLOR")),
        )

    @property
    def color(self) -> bool:
        """Whether standard output takes colour."""
        return self._takes_color(sys.stdout)

    @property
    def columns(self) -> int:
        """How wide the terminal is that standard output goes to; 0 where it goes elsewhere."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0

    @property
    def interactive(self) -> bool:
        """Whether someone can be asked."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    def print(self, text: str) -> None:
        """Write what was asked for."""
        self.write(text if text.endswith("\n") or not text else f"{text}\n")

    def write(self, text: str) -> None:
        """Write to the byte. What cannot be written ends the command."""
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stderr.write(f"error: the output cannot be written: {error.strerror}\n")
            raise SystemExit(Exit.CANNOT) from None

    def tell(self, text: str) -> None:
        """Write something worth knowing on the way, to stderr; not with `-q`. Foreign control codes become visible."""
        if not self.quiet:
            from reconciler.reports.visible import visible

            sys.stderr.write(f"{visible(text)}\n")
            sys.stderr.flush()

    def problems(self, problems: Iterable[Problem]) -> None:
        """Write what is wrong."""
        from reconciler.reports import problems as reports

        if self.output == "json":
            self.print(reports.problems_json(problems))
        elif self.output == "github":
            sys.stderr.write(reports.problems_github(problems))
            sys.stderr.flush()
        else:
            sys.stderr.write(reports.problems_text(problems, color=self._takes_color(sys.stderr)))
            sys.stderr.flush()

    def warn(self, problems: Iterable[Problem]) -> None:
        """Tell what is odd and stops nobody; not with `-q`."""
        for problem in problems:
            self.tell(f"warning: {problem}")

    def confirmed(self, question: str) -> bool:
        """Ask; only `yes` counts."""
        try:
            answer = input(f"{question} Only 'yes' is accepted: ")
        except EOFError:
            return False
        return answer.strip() == "yes"

    def agreed(self, question: str, *, yes: bool) -> bool:
        """Whether it may be done: `--yes`, or someone who is asked and agrees.

        Raises:
            Refused: nobody can be asked.
        """
        if yes:
            return True
        if not self.interactive:
            raise Refused.of("not-confirmed", "nobody can be asked here, so nothing was done", hint="Use --yes")
        if self.confirmed(question):
            return True
        self.tell("Nothing was done.")
        return False

    def _takes_color(self, stream: TextIO) -> bool:
        return not self.plain and stream.isatty()
