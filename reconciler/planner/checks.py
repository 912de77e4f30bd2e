"""What can be wrong between manifests that are each valid: circles, double claims, values that no one or two set.

Called by the composer, which collects what is found here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.model.desired import DesiredApp
from reconciler.model.manifests import ConnectionType, Manifests
from reconciler.planner.config import setter
from reconciler.planner.findings import Findings
from reconciler.planner.fleet import Fleet
from reconciler.planner.order import order_apps
from reconciler.planner.placement import connections
from reconciler.planner.recipes import Recipe
from reconciler.planner.resolver import Locate, Merged


def check_fleet(fleet: Fleet, recipes: Mapping[str, Recipe], findings: Findings) -> None:
    """Circles of dependencies, and places that two apps of one host claim."""
    _check_order(fleet, findings)
    seen: set[tuple[str, ...]] = set()
    for host, standing in fleet.standings.items():
        if standing.apps not in seen:
            seen.add(standing.apps)
            _check_claims([recipes[app] for app in standing.apps if app in recipes], host, findings)


def layer_problems(merged: Merged, app: str | None, host: str, locate: Locate) -> Iterator[tuple[Problem, str]]:
    """What is wrong with merged values before any is evaluated, each with a cause that is the same on all hosts."""
    subject = f"config of {app}" if app else "vars"
    for conflict in merged.conflicts:
        name = ".".join(conflict.path)
        both = f"{conflict.first.source} and {conflict.second.source}"
        message = f"{both} disagree on {name} in {subject}, for example on {host}"
        place = locate(conflict.second.origin, (*conflict.second.path, *conflict.path))
        yield Problem(place, message, "Give one of them a higher priority.", "group-conflict"), name
    for path in merged.unset if app else ():
        name = ".".join(path)
        found = setter(merged.layers, path)
        place = locate(found[0].origin, found[1]) if found else Place()
        message = f"{app} needs config {name}, which nothing sets for {host}"
        yield Problem(place, message, f"Set config.{app}.{name} in a Group or Host.", "config-unset"), name


def check_sealing(manifests: Manifests, desired: Mapping[str, Mapping[str, DesiredApp]], findings: Findings) -> None:
    """Agents that need secrets, and have no key to which these could be sealed."""
    agent = ConnectionType.AGENT
    by_group = any(group.connection.type is agent for group in manifests.groups.values())
    if not by_group and not any(host.connection.type is agent for host in manifests.hosts.values()):
        return
    for host, how in connections(manifests).items():
        reader = next((app for app in desired.get(host, {}).values() if app.secrets), None)
        if reader and how.type is ConnectionType.AGENT and not how.sealing_key:
            place = findings.locate(manifests.hosts[host].metadata.origin, ("spec", "connection"))
            message = f"{reader.app} needs secrets on {host}, and its agent has no connection.sealingKey"
            findings.add(Problem(place, message, f"Make one: reconcile hosts enroll {host}", "no-sealing-key"))


def check_confirm(manifests: Manifests, fleet: Fleet, findings: Findings) -> None:
    """Apps with `confirm` on hosts without an agent, where nobody would be left to take anything back."""
    apps = {name for name, app in manifests.apps.items() if app.confirm_seconds}
    if not apps:
        return
    how = connections(manifests)
    for name in sorted(apps):
        hosts = [host for host, standing in fleet.standings.items() if name in standing.apps]
        without = [host for host in hosts if how[host].type is not ConnectionType.AGENT]
        if without:
            place = findings.locate(manifests.apps[name].metadata.origin, ("spec", "confirm"))
            others = f" and {len(without) - 1} more have" if without[1:] else " has"
            message = f"{name} has confirm, which only an agent can wait for; {without[0]}{others} none"
            hint = "Set connection.type: agent there, or take confirm away."
            findings.add(Problem(place, message, hint, "confirm-without-agent"))


def _check_order(fleet: Fleet, findings: Findings) -> None:
    apps = fleet.app_manifests
    try:
        order_apps({name: [need.app for need in app.depends_on] for name, app in apps.items()})
    except InvalidInput as error:
        for problem in error.problems:
            first = problem.message.partition(": ")[2].partition(" -> ")[0]
            place = findings.locate(apps[first].metadata.origin, ("spec", "dependsOn"))
            findings.add(Problem(place, problem.message, problem.hint, problem.code))


def _check_claims(recipes: list[Recipe], host: str, findings: Findings) -> None:
    claimed: dict[str, str] = {}
    for recipe in recipes:
        for resource, path in recipe.claims.items():
            other = claimed.setdefault(resource, recipe.name)
            if other != recipe.name:
                message = f"{resource} is claimed by {other} and {recipe.name}, both on {host}"
                place = findings.locate(recipe.app.metadata.origin, path)
                findings.add(
                    Problem(place, message, "One app owns it; drop it from the other.", "double-claim"), resource
                )
