"""Laws of the planner, over generated fleets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import InvalidInput, Refused
from reconciler.model.canonical import canonical
from reconciler.model.manifests import App, Group, Guard, Host, Manifests
from reconciler.model.observed import AppStatus, Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.planner import comparing
from reconciler.planner.compose import Composer
from reconciler.planner.diff import diff
from reconciler.planner.due import Quiet, due
from reconciler.planner.guard import guard
from reconciler.planner.order import order_apps
from reconciler.planner.reads import Reads, cut
from reconciler.rendering import pick, renderer
from reconciler.resources.protocol import ResourceEvent
from tests.fakes.fleet import World, app, compose, file, group, host, manifests

TEXTS = (
    "plain\n",
    "{{ a }}\n",
    "{{ b | to_json }}\n",
    "{{ vars.v | default('none') }}\n",
    "{{ host.labels.env | default('none') }} {{ host.address }}\n",
    "{% for h in hosts('env=prod') %}{{ h.name }} {{ h.address }}\n{% endfor %}",
    "{% for h in hosts('app=one') %}{{ h.config.one.a }}\n{% endfor %}",
    "{{ facts.cores }}\n",
    "{{ secret }}\n",
)
SCALARS = st.sampled_from([0, 1, True, False, 1.0, "1", "x", {"k": 1}, {"k": True}, [1, 2], {"secret": "other"}])
ENVIRONMENTS = st.sampled_from(["prod", "test", None])
NAMES = ("one", "two", "three")


def resources(prefix: str) -> st.SearchStrategy[list[Mapping[str, Any]]]:
    """Files of an app, each path at most once."""
    texts = st.dictionaries(st.integers(0, 4), st.sampled_from(TEXTS), max_size=4)
    return texts.map(lambda chosen: [file(f"/etc/{prefix}/{number}", text) for number, text in chosen.items()])


@st.composite
def apps(draw: st.DrawFn) -> list[App]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return [
        app(
            name,
            *draw(resources(name)),
            hosts=draw(st.sampled_from(["*", "env=prod", "!env"])),
            config={"a": draw(SCALARS), "b": draw(st.sampled_from(["{{ host.name }}", 5])), "secret": {"secret": "s"}},
        )
        for name in names
    ]


@st.composite
def hosts(draw: st.DrawFn) -> list[Host]:
    count = draw(st.integers(0, 3))
    return [
        host(
            f"h{number}",
            {} if (env := draw(ENVIRONMENTS)) is None else {"env": env},
            address=draw(st.sampled_from(["10.0.0.1", "10.0.0.2"])),
            config=draw(st.sampled_from([{}, {"one": {"a": 7}}, {"two": {"b": "{{ vars.v | default(1) }}"}}])),
            vars=draw(st.sampled_from([{}, {"v": 1}, {"v": True}])),
        )
        for number in range(count)
    ]


GROUPS = st.lists(
    st.builds(
        lambda name, priority, value: group(name, "env=prod", priority=priority, config={"one": {"a": value}}),
        st.sampled_from(["g1", "g2"]),
        st.sampled_from([1, 2]),
        SCALARS,
    ),
    max_size=1,
)


@st.composite
def fleets(draw: st.DrawFn) -> Manifests:
    things: list[Host | Group | App] = [*draw(hosts()), *draw(GROUPS), *draw(apps())]
    return manifests(*things)


ORDERS = st.permutations(range(12))


def shuffled(mapping: Mapping[Any, Any], order: list[int]) -> dict[Any, Any]:
    items = list(mapping.items())
    assert len(items) <= len(order)
    return dict(items[index] for index in order if index < len(items))


@given(fleets())
def test_nothing_is_left_to_do_once_a_plan_was_applied(declared: Manifests) -> None:
    world = World()
    world.apply(declared)
    plan = world.plan(declared)
    assert (plan.apps, plan.empty) == ((), True)


@settings(max_examples=50)
@given(fleets(), fleets())
def test_nothing_is_left_to_do_after_going_from_one_fleet_to_another(old: Manifests, new: Manifests) -> None:
    world = World()
    world.apply(old)
    world.plan(new)
    world.apply(new)
    assert world.plan(new).apps == ()


@settings(max_examples=50)
@given(fleets(), fleets())
def test_every_difference_between_two_fleets_is_planned(old: Manifests, new: Manifests) -> None:
    world = World()
    world.apply(old)
    planned = {(plan.host, plan.app) for plan in world.plan(new).apps}
    before, after = compose(old).hosts, compose(new).hosts
    for name, wanted in after.items():
        had = {app_name: found.digest for app_name, found in before.get(name, {}).items()}
        want = {app_name: found.digest for app_name, found in wanted.items()}
        different = {app_name for app_name in had.keys() | want.keys() if had.get(app_name) != want.get(app_name)}
        assert {app_name for host_name, app_name in planned if host_name == name} == different


@settings(max_examples=50)
@given(fleets(), fleets(), ORDERS)
def test_a_plan_does_not_depend_on_the_order_of_anything(old: Manifests, new: Manifests, order: list[int]) -> None:
    world, other = World(), World()
    world.apply(old)
    other.apply(old)
    mixed = replace(
        new,
        hosts=shuffled(new.hosts, order),
        apps=shuffled(new.apps, order),
        groups=shuffled(new.groups, order),
    )
    other.observed = shuffled(other.observed, order)
    other.applied = shuffled(other.applied, order)
    one, two = world.plan(new), other.plan(mixed)
    assert one == two
    assert one.id == two.id


@settings(max_examples=50)
@given(st.lists(fleets(), min_size=2, max_size=4))
def test_a_composer_that_remembers_composes_as_one_that_does_not(revisions: list[Manifests]) -> None:
    world = World()
    for declared in revisions:
        assert world.desired(declared) == compose(declared)


@settings(max_examples=50)
@given(st.lists(fleets(), min_size=2, max_size=3))
def test_a_plan_is_the_same_whatever_was_remembered_and_whatever_was_forgotten(revisions: list[Manifests]) -> None:
    world = World()
    for declared in revisions:
        situation = world.given(declared)
        planned = diff(situation, world.composer.renderer)
        assert planned == diff(situation, Composer().renderer)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(comparing, "KEPT", 1)
            patch.setattr(renderer, "MEMORY_SIZE", 1)
            assert planned == diff(situation, Composer().renderer)
        world.apply(declared)


def drifts(world: World, pair: tuple[str, str]) -> None:
    world.see_app(*pair, drift=(Drift(PATH, "change"),))


def fails(world: World, pair: tuple[str, str]) -> None:
    world.see_app(*pair, status=AppStatus.FAILED)


def forgets(world: World, pair: tuple[str, str]) -> None:
    world.see_app(*pair, digest="another")
    world.applied.pop(pair, None)


def tells_facts(world: World, pair: tuple[str, str]) -> None:
    world.see(pair[0], facts={"cores": 4})


def rotates(world: World, pair: tuple[str, str]) -> None:
    world.secrets = {**(world.secrets or {}), pair: "rotated"}


def loses_the_key(world: World, _: tuple[str, str]) -> None:
    world.secrets = None


EVENTS = st.sampled_from([drifts, fails, forgets, tells_facts, rotates, loses_the_key])
PATH = "file:/etc/one/0"
LOOK = ResourceEvent(PATH, PATH, "change", ("content",), before="other\n")


@st.composite
def turns(draw: st.DrawFn) -> list[tuple[Manifests, bool, list[Callable[[World, tuple[str, str]], None]]]]:
    """Revisions, mostly with one file changed or none; whether all is applied then; and what happens to hosts."""
    declared = draw(fleets().filter(lambda fleet: fleet.hosts and fleet.apps))
    found: list[tuple[Manifests, bool, list[Callable[[World, tuple[str, str]], None]]]] = []
    for _ in range(draw(st.integers(2, 5))):
        match draw(st.sampled_from(["none", "app", "host", "all"])):
            case "app":
                name = draw(st.sampled_from(sorted(declared.apps or NAMES)))
                config = {"a": draw(SCALARS), "b": 5, "secret": {"secret": "s"}}
                changed_app = app(name, *draw(resources(name)), config=config)
                declared = replace(declared, apps={**declared.apps, name: changed_app})
            case "host":
                changed = host("h0", address=draw(st.sampled_from(["10.0.0.1", "10.0.0.3"])))
                declared = replace(declared, hosts={**declared.hosts, "h0": changed})
            case "all":
                declared = draw(fleets())
        found.append((declared, draw(st.booleans()), draw(st.lists(EVENTS, max_size=1))))
    return found


@settings(max_examples=100)
@given(turns(), st.data())
def test_a_watch_that_remembers_plans_as_one_that_begins(turns: Any, data: st.DataObject) -> None:
    world, quiet = World(), Quiet()
    for declared, applies, events in turns:
        if applies:
            world.apply(declared)
        for event in events:
            if known := [(name, each) for name, found in sorted(world.observed.items()) for each in found.apps]:
                event(world, data.draw(st.sampled_from(known)))
        now = world.given(declared, texts=False)
        pairs = due(now.desired, now.observed, now.secrets, quiet=quiet)
        looked = replace(now, due=pairs, looks={pair: {PATH: LOOK} for pair in pairs[:1]})
        facts = {name: known.facts for name, known in world.observed.items()}
        fresh = replace(looked, desired=compose(declared, facts), due=None)
        one, other = diff(looked, world.composer.renderer), diff(fresh, Composer().renderer)
        assert (one, one.id) == (other, other.id)


@given(fleets())
def test_values_are_canonical_and_hold_no_secret(declared: Manifests) -> None:
    for wanted in compose(declared).hosts.values():
        for found in wanted.values():
            assert found.values.encode() == canonical(json.loads(found.values))


JSON = st.recursive(
    st.sampled_from([1, True, "x", None, {"secret": "s"}]),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3) | st.lists(below, max_size=2),
    max_leaves=8,
)
PATHS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple), max_size=5)


@given(st.dictionaries(st.sampled_from("abc"), JSON), PATHS)
def test_values_are_cut_as_the_rendering_room_picks_them(values: dict[str, Any], paths: list[tuple[str, ...]]) -> None:
    assert cut(values, Reads.of(paths).parts) == pick(values, paths)


DEPENDS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef")), max_size=6)


@given(DEPENDS, ORDERS)
def test_a_dependency_never_comes_after_its_dependent(depends: dict[str, list[str]], order: list[int]) -> None:
    try:
        ordered = order_apps(depends)
    except InvalidInput as error:
        members = str(error).partition(": ")[2].partition(".")[0].split(" -> ")
        assert members[0] == members[-1]
        assert all(after in depends[before] for before, after in pairwise(members))
        return
    assert sorted(ordered) == sorted(depends)
    assert ordered == order_apps(shuffled(depends, order))
    for name, needs in depends.items():
        assert all(ordered.index(need) < ordered.index(name) for need in needs if need in depends)


@st.composite
def deleting_plans(draw: st.DrawFn) -> Plan:
    counts = draw(st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(0, 30), st.integers(0, 60))))
    plans = tuple(
        AppPlan("h", name, tuple(Change(f"file:/{number}", Action.DELETE, "x") for number in range(deletes)))
        for name, (deletes, _) in sorted(counts.items())
    )
    return Plan("r1", ("h",), plans, {name: deletes + others for name, (deletes, others) in counts.items()})


@given(deleting_plans(), st.integers(0, 100), st.integers(0, 20), st.none() | st.integers(0, 100))
def test_the_guard_never_lets_more_through_than_allowed(
    plan: Plan, percent: int, count: int, allowed: int | None
) -> None:
    deletes = Counter(found.app for found, _ in plan.changes())
    total = sum(deletes.values())
    parts = [(deletes[name], plan.resources[name]) for name in deletes]
    parts.append((total, sum(plan.resources.values())))
    excessive = any(gone > count and gone * 100 > percent * of for gone, of in parts)
    if excessive and (allowed is None or total > allowed):
        with pytest.raises(Refused, match=f"--allow-deletes {total}"):
            guard(plan, Guard(percent, count), allowed)
    else:
        guard(plan, Guard(percent, count), allowed)


@given(deleting_plans(), st.integers(0, 100), st.integers(0, 20))
def test_what_the_guard_asks_for_lets_the_plan_pass(plan: Plan, percent: int, count: int) -> None:
    limits = Guard(percent, count)
    try:
        guard(plan, limits, None)
    except Refused as refused:
        needed = int(str(refused).rpartition(" ")[2])
    else:
        return
    guard(plan, limits, needed)
    with pytest.raises(Refused):
        guard(plan, limits, needed - 1)
