"""Prints what runs print, as it comes; shared by `run` and `jobs logs`."""

from __future__ import annotations

from reconciler.cli.console import Console
from reconciler.model.work import Work, WorkState
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Printing:
    """Prints text to standard output, changes of state to standard error; of `several` hosts with their names.

    Text is printed by whole lines, so that those of several hosts do not mix.
    """

    console: Console
    several: bool
    _begun: dict[tuple[str, str], str] = field(default_factory=dict)
    _works: dict[tuple[str, str], Work] = field(default_factory=dict)

    def moved(self, work: Work) -> None:
        """See Heard."""
        if work.state.finished:
            self._finish(work)
        elif work.state in {WorkState.RUNNING, WorkState.RETRYING} and self.console.output == "text":
            why = work.result.get("error") or work.result.get("reason") or ""
            self.console.tell(f"{work.host}: {work.state.value}{f': {why}' if why else ''}")

    def printed(self, work: Work, text: str) -> None:
        """See Heard."""
        whole, newline, rest = (self._begun.get((work.host, work.id), "") + text).rpartition("\n")
        self._begun[work.host, work.id], self._works[work.host, work.id] = rest, work
        self._print(work, whole + newline)

    def close(self) -> None:
        """Print lines that have no end."""
        for work in list(self._works.values()):
            self._finish(work)

    def _finish(self, work: Work) -> None:
        self._works.pop((work.host, work.id), None)
        self._print(work, self._begun.pop((work.host, work.id), ""))

    def _print(self, work: Work, text: str) -> None:
        from reconciler.reports.visible import visible_lines

        if not text or self.console.output != "text":
            return
        name = f"{work.host} | " if self.several else ""
        self.console.print("".join(f"{name}{line}\n" for line in visible_lines(text)))
