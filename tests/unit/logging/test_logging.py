"""Whatever is logged goes to standard error, one event a line, without any secret."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from reconciler.logging import configure_logging
from reconciler.trust import Masker

MASKER = Masker({"webapp/pass": "hunter2"})


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("reconciler")
    before = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers, root.level, ours.level = before
    structlog.reset_defaults()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_an_event_is_a_name_with_values(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", terminal=False, masker=MASKER)
    structlog.get_logger("reconciler.loops").info("host-converged", host="web-1", changed=3)
    (event,) = logged(capsys)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "host-converged", "host": "web-1", "changed": 3, "level": "info"}


def test_secrets_are_masked_wherever_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", terminal=False, masker=MASKER)
    log = structlog.get_logger("reconciler.loops")
    log.info("hunter2", text="is hunter2", nested={"list": ["hunter2"]}, error=ValueError("hunter2"))
    try:
        raise ValueError("no hunter2 here")
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("it was %s", "hunter2")
    events = logged(capsys)
    assert len(events) == 3
    assert "hunter2" not in json.dumps(events)
    assert events[0]["nested"] == {"list": ["<secret webapp/pass>"]}
    assert "no <secret webapp/pass> here" in events[1]["exception"]
    assert events[2]["event"] == "it was <secret webapp/pass>"
    assert "no <secret webapp/pass> here" in events[2]["exception"]


def test_a_terminal_obeys_nothing_that_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", terminal=True, masker=MASKER)
    log = structlog.get_logger("reconciler.loops")
    log.warning("executor", host="web-1", error="\x1b[2Jlost")
    log.warning("executor", host="web-1", error="lost\n\x1b]0;title\x07\rok")
    assert [line[10:] for line in capsys.readouterr().err.splitlines()] == [
        r"executor    host=web-1 error=\x1b[2Jlost",
        "executor    host=web-1",
        "lost",
        r"\x1b]0;title\x07\rok",
    ]


def test_secrets_are_masked_on_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", terminal=True, masker=MASKER)
    structlog.get_logger("reconciler.loops").warning("look", value="hunter2")
    err = capsys.readouterr().err
    assert "look" in err
    assert "<secret webapp/pass>" in err
    assert "hunter2" not in err


def test_the_level_is_ours_and_libraries_are_heard_from_warning_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("debug", terminal=False, masker=MASKER)
    structlog.get_logger("reconciler.loops").debug("ours")
    logging.getLogger("watchfiles.main").info("1 change detected")
    logging.getLogger("paramiko").warning("lost")
    assert [event["event"] for event in logged(capsys)] == ["ours", "lost"]
    configure_logging("error", terminal=False, masker=MASKER)
    structlog.get_logger("reconciler.loops").warning("ours")
    assert logged(capsys) == []
