"""What the pages tell people to type is understood."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli import command_line
from tests.docs.markdown import PAGES, ROOT, blocks, name, quoted


def commands() -> Iterator[tuple[Path, str]]:
    """All command lines: in shell blocks, after a prompt, between backticks; one with `&&` cut into its parts."""
    for page in PAGES:
        typed = [line for block in blocks(page, "sh") for line in block.text.splitlines()]
        shown = [
            line.removeprefix("$ ") for block in blocks(page, "") for line in block.text.splitlines() if line[:1] == "$"
        ]
        for line in [*typed, *shown, *quoted(page)]:
            for command in line.split("&&"):
                yield page, re.split(r" #| >", command)[0].strip().replace("COMMAND", "plan")


def quoted_as(program: str) -> list[object]:
    found = dict.fromkeys((name(page), text) for page, text in commands() if re.match(rf"{program}\b(?![./:])", text))
    return [pytest.param(text, id=f"{page}: {text}") for page, text in found]


def exit_code(words: list[str]) -> int:
    try:
        if words[:1] == ["--version"]:
            command_line.build_parser().parse_args(words)
        else:
            name, rest = command_line.command_of(words)
            command_line.parser_of(name).parse_args(rest)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("command", quoted_as("reconcile"))
def test_a_quoted_command_parses(command: str) -> None:
    assert exit_code(shlex.split(command)[1:]) == 0


@pytest.mark.parametrize("command", quoted_as("make"))
def test_a_quoted_make_target_exists(command: str) -> None:
    targets = re.findall(r"^([a-z][a-z0-9-]*)(?= [a-z0-9-]+:|:)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = [word for word in command.split()[1:] if "=" not in word]
    assert set(asked) <= set(targets)
