"""What the pages tell people to type is understood."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli import build_parser
from tests.docs.markdown import PAGES, ROOT, blocks, name, quoted


def commands() -> Iterator[tuple[Path, str]]:
    """All command lines in shell blocks and between backticks, a line with `&&` cut into its parts."""
    for page in PAGES:
        lines = [
            line for language in ("sh", "") for block in blocks(page, language) for line in block.text.splitlines()
        ]
        for line in [*lines, *quoted(page)]:
            for command in line.removeprefix("$ ").split("&&"):
                yield page, command.partition(" #")[0].strip()


def quoted_as(program: str) -> list[object]:
    found = dict.fromkeys((name(page), text) for page, text in commands() if re.match(rf"{program}\b(?![./:])", text))
    return [pytest.param(text, id=f"{page}: {text}") for page, text in found]


@pytest.mark.parametrize("command", quoted_as("reconcile"))
def test_a_quoted_command_parses(command: str) -> None:
    try:
        build_parser().parse_args(shlex.split(command)[1:])
    except SystemExit as end:
        pytest.fail(f"`{command}` is not understood (exit code {end.code})")


@pytest.mark.parametrize("command", quoted_as("make"))
def test_a_quoted_make_target_exists(command: str) -> None:
    targets = re.findall(r"^([a-z][a-z-]*)(?= [a-z-]+:|:)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = [word for word in command.split()[1:] if "=" not in word]
    assert set(asked) <= set(targets)
