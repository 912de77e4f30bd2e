"""What people see before they say yes."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from reconciler.model.observed import Drift
from reconciler.model.plan import NEVER_LOOKED, Action, AppPlan, Change, Plan
from reconciler.reports.plan_text import plan_text
from reconciler.reports.visible import visible
from tests.unit.reports.example_plans import OPTIONS, RELOAD, SITE, fleet_plan, quiet_plan, webapp


def shown(plan: Plan, *, verbose: bool = False) -> str:
    return plan_text(plan, color=False, dry_run=True, verbose=verbose)


def last(plan: Plan) -> str:
    return shown(plan).splitlines()[-1]


def of(*apps: AppPlan) -> Plan:
    return Plan("1a2b3c4", tuple(sorted({app.host for app in apps})), apps)


def test_a_dry_run_tells_everything_in_the_conditional(snapshot: SnapshotAssertion) -> None:
    assert plan_text(fleet_plan(), color=False, dry_run=True) == snapshot


def test_an_apply_tells_the_same_in_the_indicative(snapshot: SnapshotAssertion) -> None:
    assert plan_text(fleet_plan(), color=False, dry_run=False) == snapshot


def test_colours_follow_the_meaning(snapshot: SnapshotAssertion) -> None:
    assert plan_text(fleet_plan(), color=True, dry_run=True) == snapshot


def test_without_colour_no_escape_is_written_and_the_words_are_the_same() -> None:
    painted = plan_text(fleet_plan(), color=True, dry_run=True)
    assert re.sub(r"\x1b\[\d*m", "", painted) == plan_text(fleet_plan(), color=False, dry_run=True)


def test_nothing_to_do_is_one_line() -> None:
    assert shown(quiet_plan()) == "No changes. 12 hosts match revision 1a2b3c4.\n"


def test_a_host_that_left_the_manifests_is_told_also_when_nothing_changes() -> None:
    plan = dataclasses.replace(quiet_plan(), forgotten=("old-1",))
    assert plan_text(plan, color=False, dry_run=False) == (
        "Forgotten: old-1 left the manifests and is forgotten, not touched.\n"
        "\n"
        "No changes. 12 hosts match revision 1a2b3c4.\n"
    )


def test_one_host_has_its_own_grammar() -> None:
    assert last(Plan("1a2b3c4", ("web-1",), ())) == "No changes. 1 host matches revision 1a2b3c4."
    assert last(of(webapp("web-1", SITE))) == "Plan: 0 to add, 1 to change, 0 to delete, 0 unknown on 1 host."


def test_hosts_that_only_drift_or_wait_for_nothing_are_not_counted_as_changed() -> None:
    plan = of(webapp("web-1", SITE), webapp("web-2", drift=(Drift("file:/etc/motd", "change"),)))
    assert last(plan) == "Plan: 0 to add, 1 to change, 0 to delete, 0 unknown on 1 host; 1 drifted."


def test_a_dry_run_tells_that_an_apply_would_be_refused() -> None:
    plan = dataclasses.replace(
        of(webapp("web-1", SITE)), refused="Refused: deletes 11 of 13 resources. Intended? --allow-deletes 11"
    )
    assert "An apply would be refused: deletes 11 of 13 resources." in shown(plan)


def test_drift_alone_is_not_called_no_changes(snapshot: SnapshotAssertion) -> None:
    drift = Drift("file:/etc/motd", "add")
    assert shown(of(webapp("web-1", drift=(drift,)), webapp("web-2", drift=(drift,)))) == snapshot


def test_an_unknown_change_is_never_shown_as_no_change() -> None:
    plan = of(webapp("web-1", Change("file:/etc/motd", Action.UNKNOWN, reason="never inspected")))
    assert "? file:/etc/motd  (never inspected)" in shown(plan)
    assert last(plan) == "Plan: 0 to add, 0 to change, 0 to delete, 1 unknown on 1 host."


def test_what_an_apply_does_about_hosts_that_nobody_has_looked_at_is_told_once() -> None:
    unknown = tuple(Change(f"file:/{name}", Action.UNKNOWN, reason=NEVER_LOOKED) for name in "ab")
    told = shown(of(AppPlan("web-1", "app", changes=unknown)))
    assert told.count("An apply looks first at what was never looked at, and changes only what differs.") == 1
    assert "An apply looks first" not in shown(fleet_plan())


def test_without_a_commit_the_working_tree_is_named() -> None:
    plan = of(AppPlan("web-1", "app", changes=(Change("file:/a", Action.ADD),)))
    assert shown(dataclasses.replace(plan, revision="")).startswith("The working tree would bring these changes:\n")
    nothing = dataclasses.replace(quiet_plan(), revision="")
    assert shown(nothing) == "No changes. 12 hosts match the working tree.\n"


def test_an_equal_diff_on_many_hosts_is_printed_once(snapshot: SnapshotAssertion) -> None:
    plan = of(*(webapp(f"web-{number}", SITE, follow_ups=(RELOAD,)) for number in range(1, 51)))
    assert shown(plan) == snapshot
    assert shown(plan).count("listen 8080") == 1


def test_fingerprints_do_not_keep_equal_diffs_apart() -> None:
    other = dataclasses.replace(SITE, before="x", after="y")
    assert shown(of(webapp("web-1", SITE), webapp("web-2", other))).count("listen 8080") == 1


def test_verbose_names_every_host() -> None:
    plan = of(*(webapp(f"web-{number}", SITE) for number in range(1, 51)))
    assert all(f"web-{number}" in shown(plan, verbose=True) for number in range(1, 51))
    assert "old-3" in shown(dataclasses.replace(plan, forgotten=tuple(f"old-{n}" for n in range(6))), verbose=True)


def test_what_many_hosts_share_stands_before_what_one_has_for_itself() -> None:
    text = shown(of(webapp("web-1", OPTIONS, SITE), webapp("web-2", SITE), webapp("web-3", SITE)))
    assert text.index("web-1, web-2 and web-3") < text.index("webapp.cnf")


def test_a_diff_of_its_own_on_each_of_many_hosts_is_shown_for_a_few(snapshot: SnapshotAssertion) -> None:
    hosts = [f"web-{number}" for number in range(1, 13)]
    plan = of(*(webapp(host, Change("file:/etc/hostname", Action.CHANGE, diff=(f"+{host}",))) for host in hosts))
    assert shown(plan) == snapshot
    assert all(f"+{host}\n" in shown(plan, verbose=True) for host in hosts)


def test_a_long_diff_is_cut_and_says_so() -> None:
    plan = of(webapp("web-1", Change("file:/etc/motd", Action.ADD, diff=tuple(f"+line {n}" for n in range(220)))))
    assert "      +line 39\n      ... 180 more lines, -v shows all\n" in shown(plan)
    assert "line 40" not in shown(plan)
    assert "+line 219\n" in shown(plan, verbose=True)
    assert "more lines" not in shown(plan, verbose=True)


def test_a_diff_is_not_cut_to_save_one_line() -> None:
    plan = of(webapp("web-1", Change("file:/etc/motd", Action.ADD, diff=tuple(f"+line {n}" for n in range(60)))))
    assert "more line" not in shown(plan)


def test_a_new_file_has_no_line_numbers_of_an_old_one() -> None:
    plan = of(webapp("web-1", Change("file:/etc/motd", Action.ADD, diff=("@@ -0,0 +1,2 @@", "+@@ -0,0 +1 @@", "+b"))))
    assert "  + file:/etc/motd\n      +@@ -0,0 +1 @@\n      +b\n" in shown(plan)


def test_a_long_line_is_cut_and_says_so() -> None:
    plan = of(webapp("web-1", Change("file:/app.json", Action.ADD, diff=("+" + "x" * 5000,))))
    assert "x ... 4601 more characters, -v shows all\n" in shown(plan)
    assert "x" * 5000 in shown(plan, verbose=True)


def test_a_held_app_is_told_with_its_reason_also_when_nothing_changes() -> None:
    text = shown(of(webapp("web-1", held="paused: INC-42"), webapp("web-2", held="paused: INC-42")))
    assert "webapp on web-1 and web-2, held back: paused: INC-42\n" in text


def test_changes_that_wait_are_told_apart_from_those_that_go_ahead() -> None:
    text = shown(of(webapp("web-1", SITE), webapp("web-2", SITE, held="paused: INC-42")))
    assert "webapp on web-1\n" in text
    assert "webapp on web-2, held back: paused: INC-42\n" in text
    assert "Of these, 1 change is held back and waits.\n" in text


def test_the_plan_id_stands_just_before_the_last_line() -> None:
    assert shown(fleet_plan()).splitlines()[-2] == f"Plan id: {fleet_plan().id}"


def test_rendered_text_cannot_speak_to_the_terminal() -> None:
    nasty = Change(
        "file:/etc/motd\x1b[2J", Action.ADD, reason="see\rnothing", diff=("+\x1b]0;title\x07", "+a\u202eb\n")
    )
    text = shown(of(webapp("web-1\n", nasty, held="\x9b31m")))
    assert "+\\x1b]0;title\\x07" in text
    assert "+a\\u202eb\n" in text
    assert "file:/etc/motd\\x1b[2J  (see\\rnothing)" in text
    assert "on web-1\\n, held back: \\x9b31m" in text


def test_wide_characters_pass_as_they_are() -> None:
    plan = of(webapp("web-1", Change("file:/etc/motd", Action.ADD, diff=("+欢迎 👩‍💻",))))
    assert "+欢迎 👩‍💻\n" in shown(plan)


names = st.text("abc-\x1b\n\u202e", min_size=1, max_size=4)
texts = st.lists(st.text(max_size=8), max_size=3).map(tuple)
changes = st.builds(Change, names, st.sampled_from(Action), reason=st.text(max_size=8), diff=texts)
app_plans = st.builds(
    AppPlan,
    st.sampled_from(["web-1", "web-2", "web-10"]),
    st.sampled_from(["webapp", "mariadb"]),
    st.lists(changes, max_size=8, unique_by=lambda change: change.resource).map(tuple),
    texts,
    texts,
    held=st.sampled_from(["", "paused"]),
)
plans = st.lists(app_plans, max_size=5, unique_by=lambda app: (app.host, app.app)).map(lambda apps: of(*apps))


@settings(max_examples=40)
@given(plan=plans, verbose=st.booleans())
def test_only_printable_text_tabs_and_line_ends_are_ever_written(*, plan: Plan, verbose: bool) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]", shown(plan, verbose=verbose))


@settings(max_examples=40)
@given(plan=plans)
def test_every_changed_resource_is_told(plan: Plan) -> None:
    text = shown(plan, verbose=True)
    assert all(f"  {change.action.symbol} {visible(change.resource)}" in text for _, change in plan.changes())


@pytest.mark.parametrize("verbose", [True, False])
def test_equal_plans_are_told_in_equal_words(*, verbose: bool) -> None:
    assert shown(fleet_plan(), verbose=verbose) == shown(fleet_plan(), verbose=verbose)
