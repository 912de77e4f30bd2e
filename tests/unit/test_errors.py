"""Errors as values: told once, in order, each with its place and what to do."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import HostFailed, InvalidInput, Place, Problem, ReconcilerError, Refused, Unavailable

WEBAPP = "manifests/apps/webapp.yaml"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(), ""),
        (Place(WEBAPP), WEBAPP),
        (Place(WEBAPP, 14), f"{WEBAPP}:14"),
        (Place(WEBAPP, 14, 7), f"{WEBAPP}:14:7"),
        (Place(host="web-1"), "web-1"),
        (Place(host="web-1", app="webapp", resource="file:/etc/motd"), "web-1 webapp file:/etc/motd"),
        (Place(WEBAPP, 14, 7, host="web-1", app="webapp"), f"{WEBAPP}:14:7"),
    ],
)
def test_a_place_reads_as_editors_and_people_write_it(place: Place, text: str) -> None:
    assert str(place) == text


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(Place(), "Redis does not answer"), "Redis does not answer"),
        (Problem(Place(WEBAPP, 14, 13), "mode 644 is a number"), f"{WEBAPP}:14:13: mode 644 is a number"),
        (
            Problem(Place(WEBAPP, 14, 13), "mode 644 is a number", 'Quote it: mode: "0644"'),
            f'{WEBAPP}:14:13: mode 644 is a number. Quote it: mode: "0644"',
        ),
        (Problem(Place(host="web-2"), "Rebuilt?", "Check its console"), "web-2: Rebuilt? Check its console"),
        (Problem(Place(), "It failed.", "Try again"), "It failed. Try again"),
    ],
)
def test_a_problem_is_one_sentence_with_its_place_and_hint(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_problems_are_sorted_by_file_and_line_as_numbers() -> None:
    late, early = Problem(Place(WEBAPP, 14), "b"), Problem(Place(WEBAPP, 6), "a")
    assert InvalidInput([late, early]).problems == (early, late)


def test_the_same_problem_found_twice_is_told_once() -> None:
    problem = Problem(Place(WEBAPP, 14), "mode 644 is a number")
    assert str(InvalidInput([problem, problem])) == str(problem)


def test_problems_of_different_codes_that_read_the_same_are_one() -> None:
    assert len(InvalidInput([Problem(Place(), "x", code="a"), Problem(Place(), "x", code="b")]).problems) == 1


def test_an_error_of_several_problems_reads_as_a_list() -> None:
    error = InvalidInput(Problem(Place(WEBAPP, line), "wrong") for line in (2, 1))
    assert str(error) == f"{WEBAPP}:1: wrong\n{WEBAPP}:2: wrong"


@pytest.mark.parametrize("kind", [ReconcilerError, InvalidInput, Refused, Unavailable, HostFailed])
def test_an_error_of_one_problem_is_made_in_one_call_and_keeps_its_class(kind: type[ReconcilerError]) -> None:
    error = kind.of("no-redis", "Redis does not answer", place=Place(host="web-1"), hint="Start it.")
    assert type(error) is kind
    assert error.problems == (Problem(Place(host="web-1"), "Redis does not answer", "Start it."),)
    assert error.problems[0].code == "no-redis"


def test_every_error_can_be_caught_as_one_class() -> None:
    for kind in (InvalidInput, Refused, Unavailable, HostFailed):
        with pytest.raises(ReconcilerError, match="it failed"):
            raise kind.of("failed", "it failed")


@pytest.mark.parametrize("passed_on", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_error_passed_between_processes_keeps_its_problems(passed_on: object) -> None:
    error = Refused([Problem(Place(WEBAPP, 1), "a", "b", "c"), Problem(Place(), "d")])
    assert callable(passed_on)
    there = passed_on(error)
    assert (type(there), there.problems, str(there)) == (Refused, error.problems, str(error))


problems = st.builds(
    Problem,
    st.builds(Place, st.sampled_from(["a.yaml", "b.yaml", ""]), st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from(["wrong", "worse"]),
    st.sampled_from(["", "fix it"]),
)


@given(found=st.lists(problems, max_size=8))
def test_the_order_in_which_problems_are_found_does_not_matter(found: list[Problem]) -> None:
    assert str(InvalidInput(found)) == str(InvalidInput(reversed(found)))


@given(found=st.lists(problems, max_size=8))
def test_no_problem_gets_lost(found: list[Problem]) -> None:
    assert set(InvalidInput(found).problems) == set(found)
