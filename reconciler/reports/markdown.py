"""Markdown that foreign text cannot break out of, as GitHub reads it.

Whatever comes from manifests or hosts stands in code spans, `<code>` or fences: there GitHub links no @mention, no
issue number and no HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from reconciler.reports.visible import visible, visible_line

_BACKTICKS = re.compile(r"`+")


def code(text: str) -> str:
    """A code span."""
    shown = visible(text)
    if not shown:
        return ""
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if len(ticks) > 1 or shown.strip() != shown else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def html_code(text: str) -> str:
    """Code inside of HTML, such as a `<summary>`."""
    return f"<code>{html.escape(visible(text))}</code>"


def fence(lines: Iterable[str], language: str = "") -> str:
    """A fenced block, its fence longer than any run of backticks inside."""
    body = "\n".join(visible_line(line) for line in lines)
    ticks = "`" * max(3, _longest_run(body) + 1)
    return f"{ticks}{language}\n{body}\n{ticks}"


def details(summary: str, body: str) -> str:
    """A folded part. The summary is HTML, the body Markdown."""
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
