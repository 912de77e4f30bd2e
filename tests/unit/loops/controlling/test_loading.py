"""Problems of manifests and templates, told together and once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from reconciler.errors import InvalidInput
from reconciler.loops.controlling.loading import load
from reconciler.loops.controlling.planning import Planning
from reconciler.manifests import Loader, Meanwhile
from reconciler.model.desired import Desired
from reconciler.model.manifests import Manifests
from reconciler.model.tree import Tree
from reconciler.planner.compose import Composer
from tests.unit.manifests.trees import app, fleet, host, with_templates

FILES = "  hosts: role=web\n  resources:\n"


def told(templates: dict[str, str]) -> list[str]:
    """What is wrong where an app makes one file from each of some templates."""
    resources = "".join(f"  - file: {{path: /{name}, template: {name}}}\n" for name in templates)
    with pytest.raises(InvalidInput) as found:
        load(Loader(), with_templates(fleet(a=app(FILES + resources)), templates))
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize(
    "text", ["{% if %}", "{{ 1 | nothing }}", "{{ ''.__class__ }}", "{{ " + "9" * 99 + " }}", "{" * 200_000]
)
def test_a_template_that_cannot_be_read_is_told_once(text: str) -> None:
    assert len(told({"x.j2": text})) == 1


def test_what_only_rendering_shows_of_others_is_told_beside_it() -> None:
    broken, undefined = told({"x.j2": "{% if %}", "y.j2": "{{ nothing }}"})

    assert broken.startswith("templates/x.j2:1:")
    assert undefined.startswith('templates/y.j2:1: "nothing" is undefined')


@pytest.mark.parametrize("mistake", ["  adress: x\n", "  config: {a: {nothing: 1}}\n"])
def test_a_wrong_host_hides_no_name_that_no_host_could_give(mistake: str) -> None:
    templates = {"x.j2": "{{ nothing_either }}{{ vars.zone }}{{ (hosts('role=db') | first).address }}"}
    apps = app(FILES + "  - file: {path: /x, template: x.j2}\n")
    with pytest.raises(InvalidInput) as found:
        load(Loader(), with_templates(fleet(a=apps, b=host("db-1", "role: db", mistake)), templates))
    ours, theirs = [str(problem) for problem in found.value.problems]
    assert ours.startswith("manifests/b.yaml:6:")
    assert theirs.startswith('templates/x.j2:1: "nothing_either" is undefined')


class Counting(Loader):
    """Remembers what it was asked to load."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Tree] = []

    def load(self, tree: Tree, meanwhile: Meanwhile = None) -> Manifests:
        self.asked.append(tree)
        return super().load(tree, meanwhile)


class Composing(Composer):
    """Counts its work."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def compose(self, *given: Any) -> Desired:
        self.times += 1
        return super().compose(*given)


class NoReach:
    """The ways to hosts where none is local."""

    local: tuple[str, ...] = ()

    def show(self, manifests: Manifests) -> None:
        pass


def planning_with(loader: Loader, composer: Composer) -> Planning:
    unused = cast(Any, None)
    return Planning(
        store=None, loader=loader, composer=composer, reach=cast(Any, NoReach()), secrets=unused, clock=unused
    )


def refusal(planning: Planning, tree: Tree) -> str:
    with pytest.raises(InvalidInput) as found:
        planning.survey(tree)
    return str(found.value)


def test_a_tree_with_mistakes_is_read_once_for_as_long_as_its_files_stay_the_same() -> None:
    loader = Counting()
    planning = planning_with(loader, Composing())
    broken, otherwise = (fleet(a=app(text)) for text in ("  hosst: role=web\n", "  hossst: role=web\n"))
    told = [refusal(planning, tree) for tree in (broken, broken, otherwise)]
    assert loader.asked == [broken, otherwise]
    assert told[0] == told[1] != told[2]


def test_a_tree_whose_mistakes_only_composing_shows_is_composed_once_for_as_long_as_hosts_say_the_same() -> None:
    composer = Composing()
    planning = planning_with(Loader(), composer)
    undefined, sound = (
        with_templates(fleet(a=app(FILES + "  - file: {path: /x, template: x.j2}\n")), {"x.j2": text})
        for text in ("{{ nothing }}", "something")
    )
    told = [refusal(planning, undefined) for _ in range(2)]
    assert composer.times == 1
    assert told[0] == told[1]

    with pytest.raises(InvalidInput):
        planning.survey(undefined, {"web-1": {"os": "debian"}})
    assert composer.times == 2

    planning.survey(sound)
    assert composer.times == 3
