"""Errors as people, GitHub and programs read them."""

import json

from syrupy.assertion import SnapshotAssertion

from reconciler.errors import Place, Problem
from reconciler.reports.problems import problems_github, problems_json, problems_text

WEBAPP = "manifests/apps/webapp.yaml"
MODE = Problem(Place(WEBAPP, 14, 13), "mode 644 is a number", 'Quote it: mode: "0644"', "unquoted-mode")
SELECTOR = Problem(Place(WEBAPP, 6, 10), "role=wbe matches no host", "Did you mean role=web?", "empty-selector")
HOST_KEY = Problem(Place(host="web-2"), "host key has changed", "Nothing was sent.", "host-key")
NO_REDIS = Problem(Place(), "Redis does not answer", "Set RECONCILER_REDIS_URL", "no-redis")
PROBLEMS = (MODE, HOST_KEY, SELECTOR, NO_REDIS)


def test_problems_are_told_in_the_order_of_their_places(snapshot: SnapshotAssertion) -> None:
    assert problems_text(PROBLEMS, color=False) == snapshot
    assert problems_text(PROBLEMS, color=True) == snapshot


def test_the_same_problem_is_told_once() -> None:
    assert problems_text([MODE, MODE], color=False).count("\n") == 1


def test_lines_of_a_long_message_stay_lines() -> None:
    problem = Problem(Place(WEBAPP, 3), "while parsing:\n  found ':'\x1b[2J")
    assert problems_text([problem], color=False) == (
        f"error: {WEBAPP}:3: while parsing:\n"
        "    found ':'\\x1b[2J\n"
    )  # fmt: skip


def test_github_shows_them_beside_their_lines(snapshot: SnapshotAssertion) -> None:
    assert problems_github(PROBLEMS) == snapshot


def test_a_message_cannot_give_github_another_command() -> None:
    problem = Problem(Place("a,line=9::x%.yaml", 1), "100 %\n::set-env name=PATH::/tmp")
    (annotation,) = problems_github([problem]).splitlines()
    assert annotation == (
        "::error file=a%2Cline=9%3A%3Ax%25.yaml,line=1,title=invalid::"
        "a,line=9::x%25.yaml:1: 100 %25%0A::set-env name=PATH::/tmp"
    )


def test_programs_get_places_and_codes() -> None:
    problems = json.loads(problems_json(PROBLEMS))["problems"]
    assert [problem["code"] for problem in problems] == ["no-redis", "host-key", "empty-selector", "unquoted-mode"]
    assert problems[3]["place"]["line"] == 14


def test_no_problems_are_no_text() -> None:
    assert problems_text([], color=True) == problems_github([]) == ""
