"""Problems of manifests and templates, told together and once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from reconciler.errors import InvalidInput
from reconciler.loops.controlling.loading import load
from reconciler.loops.controlling.planning import Planning
from reconciler.manifests import Loader, Meanwhile
from reconciler.model.manifests import Manifests
from reconciler.model.tree import Tree
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


def test_a_tree_with_mistakes_is_read_once_for_as_long_as_its_files_stay_the_same() -> None:
    read: list[Tree] = []

    class Counting(Loader):
        def load(self, tree: Tree, meanwhile: Meanwhile = None) -> Manifests:
            read.append(tree)
            return super().load(tree, meanwhile)

    unused = cast(Any, None)
    planning = Planning(store=None, loader=Counting(), composer=unused, reach=unused, secrets=unused, clock=unused)
    broken, otherwise = (fleet(a=app(text)) for text in ("  hosst: role=web\n", "  hossst: role=web\n"))
    told = []
    for tree in (broken, broken, otherwise):
        with pytest.raises(InvalidInput) as found:
            planning.survey(tree)
        told.append(str(found.value))
    assert read == [broken, otherwise]
    assert told[0] == told[1] != told[2]
