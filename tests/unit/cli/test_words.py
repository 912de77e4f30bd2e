"""Which command the words of a command line name."""

import sys

import pytest

from reconciler import cli
from reconciler.cli import command_line
from reconciler.cli.exits import Exit


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["hosts"], ("hosts.list", [])),
        (["hosts", "--host", "web-1"], ("hosts.list", ["--host", "web-1"])),
        (["hosts", "facts", "-o", "json"], ("hosts.facts", ["-o", "json"])),
        (["-v", "hosts", "facts"], ("hosts.facts", ["-v"])),
        (["--dry-run"], ("plan", [])),
        (["plan", "--host", "hosts"], ("plan", ["--host", "hosts"])),
    ],
)
def test_words_name_a_command_and_its_action(words: list[str], named: tuple[str, list[str]]) -> None:
    assert command_line.command_of(words) == named


def test_an_action_that_does_not_exist_is_told_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["hosts", "fcts"])
    assert end.value.code == Exit.CANNOT
    assert capsys.readouterr().err == "error: there is no command hosts fcts. Did you mean facts?\n"


def test_a_flag_that_does_not_exist_is_told_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--dryrun"])
    assert end.value.code == Exit.CANNOT
    told = "error: unrecognized arguments: --dryrun\nDid you mean --dry-run?\nLook: reconcile apply -h\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(("words", "meant"), [("jobs list --state faild", "failed"), ("plan -o jsno", "json")])
def test_a_word_that_a_flag_does_not_take_is_told_with_the_one_that_was_meant(
    words: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(words.split())
    assert end.value.code == Exit.CANNOT
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_a_library_that_is_not_installed_is_told_with_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "reconciler.cli.sessions", None)
    assert cli.main(["status"]) == Exit.CANNOT
    assert "make install" in capsys.readouterr().err


def test_help_of_a_command_with_actions_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["hosts", "--help"])
    assert "print what is known of their machines" in capsys.readouterr().out


@pytest.mark.parametrize("lines", ["-1", "0", "x"])
def test_a_number_of_lines_that_is_none_is_wrong_usage(lines: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["history", f"--lines={lines}"])
    assert ended.value.code == Exit.CANNOT
    assert f"{lines} is no number from 1" in capsys.readouterr().err
