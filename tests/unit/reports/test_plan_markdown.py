"""Markdown that reviewers read on a pull request, and that nothing in a plan can break."""

import re

from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from reconciler.model.observed import Drift
from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.reports.markdown import code, fence
from reconciler.reports.plan_markdown import GITHUB_CHARACTERS, MARKER, plan_github, plan_markdown
from tests.unit.reports.example_plans import SITE, fleet_plan, quiet_plan, webapp


def of(*apps: AppPlan) -> Plan:
    return Plan("1a2b3c4", tuple(sorted({app.host for app in apps})), apps)


def added(path: str, lines: int) -> Change:
    return Change(f"file:{path}", Action.ADD, diff=tuple(f"+{path} line {number}" for number in range(lines)))


def outside_code(markdown: str) -> str:
    """What is left for Markdown to interpret once fences, code spans and <code> are taken out."""
    without_fences = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)
    without_spans = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", without_fences)
    return re.sub(r"<code>[^<>]*</code>", "", without_spans)


def test_a_page_names_every_app_host_and_diff(snapshot: SnapshotAssertion) -> None:
    assert plan_markdown(fleet_plan()) == snapshot


def test_a_comment_folds_the_details(snapshot: SnapshotAssertion) -> None:
    assert plan_github(fleet_plan()) == snapshot


def test_a_comment_on_nothing_to_do_is_short(snapshot: SnapshotAssertion) -> None:
    assert plan_github(quiet_plan()) == snapshot


def test_a_comment_starts_with_the_marker_that_finds_it_again() -> None:
    assert plan_github(fleet_plan()).splitlines()[0] == MARKER


def test_text_from_manifests_cannot_leave_its_fence() -> None:
    escape = Change("file:/etc/motd", Action.ADD, diff=("+```", "+</details>", "+@everyone <img src=x>", "+````"))
    markdown = plan_github(of(webapp("web-1", escape)))
    assert "`````diff\n+```\n" in markdown
    assert "@everyone" not in outside_code(markdown)
    assert outside_code(markdown).count("</details>") == 1


def test_names_and_reasons_mention_nobody_and_are_no_html() -> None:
    change = Change("file:/@octocat`", Action.DELETE, reason="thanks @octocat, see #12 <b>")
    plan = of(webapp("<i>@octocat</i>", change, held="@octocat said `no`", left_behind=("@octocat",)))
    for markdown in (plan_github(plan), plan_markdown(plan)):
        assert "@octocat" not in outside_code(markdown)
        assert "<i>" not in outside_code(markdown)
        assert "<b>" not in outside_code(markdown)


def test_a_line_end_in_a_name_does_not_start_a_paragraph() -> None:
    assert "# pwned" not in plan_github(of(webapp("web-1\n\n# pwned", SITE))).splitlines()


def test_a_comment_that_would_be_too_long_is_cut_and_says_what_is_missing() -> None:
    plan = of(*(webapp(f"web-{host}", added(f"/etc/{host}", 300)) for host in range(1, 31)))
    markdown = plan_github(plan)
    assert len(markdown) <= GITHUB_CHARACTERS
    assert "> **Shortened to fit into a comment:**" in markdown.splitlines()[-1]
    assert "**Plan: 30 to add" in markdown
    assert markdown.count("<details>") == markdown.count("</details>") == 30


def test_a_diff_is_cut_before_a_group_is_left_out() -> None:
    markdown = plan_github(of(webapp("web-1", added("/etc/big", 9000)), webapp("web-2", SITE)))
    assert "+/etc/big line 39\n... 8960 more lines\n" in markdown
    assert "listen 8080" in markdown
    assert "1 group with diffs cut, 0 groups not shown at all" in markdown


def test_more_groups_than_fit_are_counted() -> None:
    apps = (AppPlan("web-1", f"{'a' * 55}-{number}", (added(f"/etc/{number}", 1),)) for number in range(2000))
    markdown = plan_github(of(*apps))
    shown = markdown.count("<details>")
    assert len(markdown) <= GITHUB_CHARACTERS
    cut, absent = map(int, re.findall(r"(\d+) groups? (?:with diffs cut|not shown)", markdown))
    assert absent == 2000 - shown
    assert cut <= shown
    assert "| and 1950 more apps | | | | | |" in markdown


def test_a_bar_in_a_name_does_not_add_a_column() -> None:
    assert "| `a\\|b` | 1 | 0 | 1 | 0 | 0 |" in plan_github(of(AppPlan("web-1", "a|b", (SITE,))))


def test_code_spans_hold_any_backticks() -> None:
    assert code("a") == "`a`"
    assert code("a`b") == "`` a`b ``"
    assert code("``") == "``` `` ```"
    assert code("") == ""


@given(text=st.text(st.sampled_from("`~a \n<@"), max_size=20))
def test_a_fence_ends_only_at_its_own_end(text: str) -> None:
    opening, *body, closing = fence([text], "diff").split("\n")
    assert opening == f"{closing}diff"
    assert not any(line.strip().startswith(closing) for line in body)


names = st.text(st.sampled_from("a`@#<>|\n "), min_size=1, max_size=6)
changes = st.builds(Change, names, st.sampled_from(Action), reason=names, diff=st.lists(names, max_size=3).map(tuple))
drifts = st.builds(Drift, names, st.just("change"), st.lists(names, max_size=2).map(tuple))
app_plans = st.builds(
    AppPlan, names, names, st.lists(changes, max_size=2).map(tuple), drift=st.lists(drifts, max_size=1).map(tuple)
)


@given(plan=st.lists(app_plans, max_size=3, unique_by=lambda app: (app.host, app.app)).map(lambda apps: of(*apps)))
def test_nothing_in_a_plan_mentions_or_folds_by_itself(plan: Plan) -> None:
    rest = outside_code(plan_github(plan))
    assert "@" not in rest
    assert "#" not in rest.replace("### Reconciler plan", "")
    assert rest.count("<details>") == rest.count("</details>")
