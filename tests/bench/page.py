"""docs/benchmarks.md: rows of figures with their targets, and one section for each command that measures."""

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
HEAD = "| what | figure | target | ratio |\n| --- | --- | --- | --- |"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `ratio` says how many times better than the target it is; below 1 it is missed."""

    what: str
    figure: str
    target: str = ""
    ratio: float | None = None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.1f}"
        return f"| {self.what} | {self.figure} | {self.target} | {ratio} |"


def at_most(what: str, seconds: float, target: float) -> Row:
    """A duration with the most that it should be."""
    return Row(what, duration(seconds), f"<= {duration(target)}", target / seconds)


def duration(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1000:.2g} ms"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s"


def printed(rows: Iterable[Row]) -> list[Row]:
    """The rows, each printed as it comes."""
    print(HEAD)
    found = []
    for row in rows:
        print(row, flush=True)
        found.append(row)
    return found


def write(title: str, command: str, rows: Iterable[Row]) -> None:
    """Replace one section of the page, which this command makes, and leave the others as they are."""
    before, *sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    made = "\n".join([f"{title}\n", f"Made by `{command}` on {_machine()}.\n", HEAD, *map(str, rows)]) + "\n"
    kept = {section.partition("\n")[0]: section.rstrip("\n") + "\n" for section in sections} | {title: made}
    PAGE.write_text("\n".join([before.rstrip("\n") + "\n", *(f"## {section}" for section in kept.values())]))


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
