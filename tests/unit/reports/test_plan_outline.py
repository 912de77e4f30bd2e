"""What is equal is told once, and nothing gets lost over it."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.model.observed import Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.reports.plan_outline import drift_sections, sections

diffs = st.sampled_from([(f"+{letter}",) for letter in "abcdefghij"])
changes = st.builds(Change, st.sampled_from(["file:/a", "file:/b", "link:/c"]), st.sampled_from(Action), diff=diffs)
drifts = st.builds(Drift, st.sampled_from(["file:/a", "file:/b"]), st.just("change"))
app_plans = st.builds(
    AppPlan,
    st.integers(1, 12).map(lambda number: f"web-{number}"),
    st.sampled_from(["webapp", "mariadb"]),
    st.lists(changes, max_size=3, unique_by=lambda change: change.resource).map(tuple),
    drift=st.lists(drifts, max_size=2, unique=True).map(tuple),
    held=st.sampled_from(["", "paused"]),
)
plans = st.lists(app_plans, max_size=12, unique_by=lambda app: (app.host, app.app)).map(
    lambda apps: Plan("1a2b3c4", (), tuple(apps))
)


@settings(max_examples=40)
@given(plan=plans, verbose=st.booleans())
def test_each_change_of_each_host_stands_in_exactly_one_section(*, plan: Plan, verbose: bool) -> None:
    told = Counter(
        (host, section.app, section.held, change.resource, change.action)
        for section in sections(plan, verbose=verbose)
        for host in section.hosts
        for change in section.changes
    )
    assert told == Counter(
        (app.host, app.app, app.held, change.resource, change.action) for app, change in plan.changes()
    )


@settings(max_examples=40)
@given(plan=plans)
def test_each_drift_of_each_host_stands_in_exactly_one_section(plan: Plan) -> None:
    told = Counter(
        (host, part.app, drift) for part in drift_sections(plan) for host in part.hosts for drift in part.drift
    )
    assert told == Counter((app.host, app.app, drift) for app in plan.apps for drift in app.drift)


@settings(max_examples=40)
@given(plan=plans)
def test_every_held_app_is_named(plan: Plan) -> None:
    named = {(host, section.app) for section in sections(plan) if section.held for host in section.hosts}
    assert named == {(app.host, app.app) for app in plan.apps if app.held}


@settings(max_examples=40)
@given(plan=plans, data=st.data())
def test_the_order_of_hosts_in_the_plan_does_not_matter_to_the_groups(plan: Plan, data: st.DataObject) -> None:
    shuffled = Plan(plan.revision, (), tuple(data.draw(st.permutations(plan.apps))))

    def groups(plan: Plan) -> set[tuple[str, str, tuple[str, ...], frozenset[Change]]]:
        found = sections(plan, verbose=True)
        return {(part.app, part.held, part.hosts, frozenset(part.changes)) for part in found}

    assert groups(shuffled) == groups(plan)
