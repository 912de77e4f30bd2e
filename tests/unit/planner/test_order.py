"""Apps in the order of their dependencies."""

from __future__ import annotations

import pytest

from reconciler.errors import InvalidInput
from reconciler.planner.order import order_apps


def test_dependencies_come_first_and_equals_by_name() -> None:
    assert order_apps({"web": ["db"], "db": ["base"], "base": [], "api": ["base"]}) == ("base", "api", "db", "web")


def test_names_that_are_not_asked_about_are_ignored() -> None:
    assert order_apps({"web": ["elsewhere"]}) == ("web",)


def test_a_circle_is_named_from_its_smallest_member_in_the_direction_of_need() -> None:
    with pytest.raises(InvalidInput, match="a -> c -> b -> a"):
        order_apps({"b": ["a"], "c": ["b"], "a": ["c"], "z": ["a"]})


def test_an_app_that_depends_on_itself_is_a_circle() -> None:
    with pytest.raises(InvalidInput, match="a -> a"):
        order_apps({"a": ["a"]})
