"""Manifests of a tree, or everything that is wrong with them: also what only shows when templates are rendered.

Called wherever a tree is read or judged. Without it people would mend their manifests only to learn of their templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.loops.controlling.verdicts import Verdict
from reconciler.manifests import InvalidManifests, Loader, Meanwhile
from reconciler.model.manifests import Manifests
from reconciler.model.metadata import Origin, Path
from reconciler.model.tree import Tree
from reconciler.resources.values import replace

_TEMPLATES = "templates/"


def load(loader: Loader, tree: Tree, meanwhile: Meanwhile = None) -> Manifests:
    """The manifests of a tree; `meanwhile` as of `Loader.load`.

    Raises:
        InvalidInput: with the problems of all manifests, and those of the templates of every app that is sound itself.
    """
    try:
        return loader.load(tree, meanwhile)
    except InvalidManifests as error:
        more = _in_templates(loader, tree, error.readable, error.problems) if error.readable else ()
        raise InvalidInput([*error.problems, *more]) from None


def judged(loader: Loader, tree: Tree, facts: Mapping[str, Mapping[str, Any]]) -> Verdict:
    """What a look at everything comes to.

    Raises:
        InvalidInput: the tree is not sound; with all problems.
    """

    def locate(origin: Origin, path: Path) -> Place:
        return loader.locate(tree, origin, path)

    manifests = load(loader, tree, get_ready_to_compose)
    from reconciler.manifests.notes import notes  # noqa: PLC0415 - only who judges tells them
    from reconciler.planner.compose import Composer  # noqa: PLC0415 - it loads Jinja

    Composer().compose(manifests, str(tree.revision), facts, locate)
    sizes = {"host": len(manifests.hosts), "app": len(manifests.apps), "job": len(manifests.jobs)}
    return Verdict(sizes, tuple(notes(manifests, locate)))


def get_ready_to_compose(templates: Mapping[str, str]) -> None:
    """A `Meanwhile` for who composes then: loads what that takes, and compiles these templates."""
    import reconciler.planner.compose  # noqa: F401, PLC0415 - it loads Jinja
    from reconciler.rendering import check_template  # noqa: PLC0415

    for name, text in templates.items():
        check_template(name, text)


def _in_templates(loader: Loader, tree: Tree, readable: Manifests, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """What rendering the sound apps brings to light of templates that are sound by themselves.

    Where a host or a group is broken, values that it gives may be missing, so there only what no host can give counts:
    an app declares its config itself, and a name that stands neither there nor among ours is undefined on every host.
    """
    broken = {problem.place.file for problem in problems}
    sound = {name: app for name, app in readable.apps.items() if app.metadata.origin.file not in broken}
    files_of_apps = {app.metadata.origin.file for app in readable.apps.values()}
    from reconciler.planner.compose import Composer  # noqa: PLC0415 - only where something is wrong

    certain = all(file in files_of_apps or file.startswith(_TEMPLATES) for file in broken)
    try:
        Composer().compose(
            replace(readable, apps=sound), "", {}, lambda origin, path: loader.locate(tree, origin, path)
        )
    except InvalidInput as error:
        return tuple(
            problem
            for problem in error.problems
            if problem.place.file.startswith(_TEMPLATES) and problem.place.file not in broken
            if certain or problem.code == "undefined"
        )
    return ()
