"""Reads the project's Markdown: its pages, links, headings, code blocks and quoted commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_QUOTED = re.compile(r"(?<!`)`(?P<command>[^`\n]+)`(?!`)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, without its indentation."""

    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}: {self.text.partition(chr(10))[0]}"


def name(page: Path) -> str:
    """The page's path in the repository."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> Iterator[Block]:
    """The fenced blocks of one language."""
    for fence in _FENCE.finditer(page.read_text()):
        if fence["language"] == language:
            lines = fence["text"].splitlines(keepends=True)
            yield Block(page, language, "".join(line.removeprefix(fence["indent"]) for line in lines))


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> Iterator[str]:
    """Targets of the page's links."""
    yield from _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The names by which other pages link to the page's headings, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(page))}


def quoted(page: Path) -> Iterator[str]:
    """What stands between single backticks."""
    yield from (found["command"] for found in _QUOTED.finditer(prose(page)))
