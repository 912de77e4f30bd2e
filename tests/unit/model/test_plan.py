"""A plan counts itself and has a name that says whether it is still the one that was reviewed."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.desired import Bundle, app_digest
from reconciler.model.observed import Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.model.tree import Revision
from reconciler.model.work import WorkState

MOTD = Change("file:/etc/motd", Action.CHANGE, "f1", "f2", diff=("-a", "+b"))


def plan(*apps: AppPlan, revision: str = "1a2b3c4") -> Plan:
    return Plan(revision, ("web-1", "web-2"), apps)


def one(change: Change = MOTD, host: str = "web-1", app: str = "webapp") -> Plan:
    return plan(AppPlan(host, app, (change,)))


@pytest.mark.parametrize(
    "other",
    [
        one(host="web-2"),
        one(app="mariadb"),
        one(dataclasses.replace(MOTD, resource="file:/etc/issue")),
        one(dataclasses.replace(MOTD, action=Action.UNKNOWN)),
        one(dataclasses.replace(MOTD, before="f0")),
        one(dataclasses.replace(MOTD, after="f3")),
        plan(),
    ],
    ids=["host", "app", "resource", "action", "before", "after", "nothing"],
)
def test_a_plan_that_would_do_something_else_has_another_id(other: Plan) -> None:
    assert other.id != one().id


def test_a_plan_that_does_the_same_keeps_its_id_however_it_is_told() -> None:
    told = dataclasses.replace(MOTD, diff=(), reason="because")
    assert plan(AppPlan("web-1", "webapp", (told,)), revision="9f8e7d6").id == one().id


def test_drift_that_an_apply_would_put_right_is_part_of_the_id() -> None:
    drifts = [(), (Drift("x", "add"),), (Drift("x", "change", ("mode: 0600 -> 0644",)),)]
    assert len({plan(AppPlan("web-1", "webapp", (MOTD,), drift=drift)).id for drift in drifts}) == 3


def test_an_id_is_short_enough_to_paste() -> None:
    assert len(one().id) == 16
    assert set(one().id) <= set("0123456789abcdef")


changes = st.builds(Change, st.sampled_from("abc"), st.sampled_from(Action), before=st.sampled_from("xy"))
app_plans = st.builds(
    AppPlan,
    st.sampled_from(["web-1", "web-2"]),
    st.sampled_from(["webapp", "mariadb"]),
    st.lists(changes, max_size=3).map(tuple),
)


@given(apps=st.lists(app_plans, max_size=5), data=st.data())
def test_the_id_does_not_depend_on_the_order_in_which_steps_were_found(
    apps: list[AppPlan], data: st.DataObject
) -> None:
    shuffled = [dataclasses.replace(app, changes=tuple(data.draw(st.permutations(app.changes)))) for app in apps]
    assert plan(*data.draw(st.permutations(shuffled))).id == plan(*apps).id


@given(apps=st.lists(app_plans, max_size=5))
def test_every_change_is_counted_under_its_action(apps: list[AppPlan]) -> None:
    counts = plan(*apps).counts
    assert sum(counts.values()) == sum(len(app.changes) for app in apps)
    assert list(counts) == list(Action)


def test_a_plan_is_empty_only_without_changes_unknowns_and_drift() -> None:
    assert plan().empty
    assert plan(AppPlan("web-1", "webapp", held="paused")).empty
    assert not one(Change("file:/etc/motd", Action.UNKNOWN)).empty
    drifted = plan(AppPlan("web-1", "webapp", drift=(Drift("file:/etc/motd", "change"),)))
    assert not drifted.empty
    assert drifted.drifted == 1


def test_the_symbols_of_a_plan() -> None:
    assert "".join(action.symbol for action in Action) == "+~-?"


def test_equal_content_is_one_bundle() -> None:
    first, second = Bundle.of({"app": "webapp", "resources": []}), Bundle.of({"resources": [], "app": "webapp"})
    assert first == second
    assert first.app == "webapp"
    assert Bundle(first.sha, first.body).content == {"app": "webapp", "resources": []}


def test_an_apps_digest_changes_with_its_bundle_and_with_its_values() -> None:
    assert len({app_digest("b1", "{}"), app_digest("b2", "{}"), app_digest("b1", '{"config":{}}')}) == 3


@pytest.mark.parametrize(
    ("revision", "text"),
    [
        (Revision("1a2b3c4d" * 5, "main"), "1a2b3c4"),
        (Revision("1a2b3c4d" * 5, dirty=True), "1a2b3c4+changes"),
        (Revision("", dirty=True), "working tree"),
    ],
)
def test_a_revision_says_whether_it_is_a_commit(revision: Revision, text: str) -> None:
    assert str(revision) == text


def test_work_is_finished_once_nobody_will_touch_it_again() -> None:
    going = {state for state in WorkState if not state.finished}
    assert going == {WorkState.QUEUED, WorkState.LEASED, WorkState.RUNNING, WorkState.RETRYING}
