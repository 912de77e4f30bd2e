"""What a person reads after an apply, at night too."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from reconciler.errors import Place, Problem
from reconciler.reports.recap import AppRecap, HostRecap, recap_json, recap_text


def adoption(host: str) -> Problem:
    return Problem(
        Place(host=host, app="webapp", resource="file:/etc/nginx/nginx.conf"),
        "exists, differs and is not ours",
        "Look: reconcile plan --app webapp. Take over: adopt: replace",
        "not-ours",
    )


RECAPS = (
    HostRecap("web-10", ok=12, seconds=0.4),
    HostRecap("web-1", ok=12, changed=3, seconds=1.2),
    HostRecap("web-2", ok=9, failed=1, unknown=2, seconds=75.3, problems=(adoption("web-2"),)),
    HostRecap("web-3", ok=8, failed=2, seconds=0.8, problems=(adoption("web-3"),)),
    HostRecap("db-1", unreachable="connection refused by 10.0.0.7 port 22"),
    HostRecap("db-2", ok=4, seconds=0.1, note="paused: disk swap"),
)


def test_every_host_has_a_line_and_equal_errors_stand_once(snapshot: SnapshotAssertion) -> None:
    assert recap_text(RECAPS, color=False) == snapshot


def test_colours_point_at_what_needs_a_look(snapshot: SnapshotAssertion) -> None:
    assert recap_text(RECAPS, color=True) == snapshot


def test_colours_do_not_move_the_columns() -> None:
    assert re.sub(r"\x1b\[\d*m", "", recap_text(RECAPS, color=True)) == recap_text(RECAPS, color=False)


def test_one_host_that_changed() -> None:
    recap = HostRecap("web-1", ok=12, changed=3, seconds=1.2)
    assert recap_text([recap], color=False) == (
        "web-1  ok=12 changed=3 failed=0 unknown=0  1.2s\n"
        "\n"
        "1 host: 1 changed.\n"
    )  # fmt: skip


def test_what_a_failed_command_said_keeps_its_lines() -> None:
    said = Problem(Place(app="webapp", resource="service:nginx"), "nginx -t failed:\nline 7: \x1b[31munknown", "Fix it")
    text = recap_text([HostRecap("web-1", failed=1, problems=(said,))], color=False)
    assert (
        "error: webapp service:nginx on web-1: nginx -t failed:\n"
        "  line 7: \\x1b[31munknown\n"
        "  Fix it\n"
    ) in text  # fmt: skip


def test_an_error_without_a_place_names_its_host() -> None:
    text = recap_text([HostRecap("web-1", failed=1, problems=(Problem(Place(), "the disk is full"),))], color=False)
    assert "error: web-1: the disk is full\n" in text


def test_a_host_that_has_the_same_error_twice_is_named_once() -> None:
    text = recap_text([HostRecap("web-1", failed=2, problems=(adoption("web-1"),) * 2)], color=False)
    assert text.count("error:") == 1
    assert " on web-1: exists" in text


def test_no_host_at_all_is_told() -> None:
    assert recap_text([], color=False).splitlines()[-1] == "0 hosts."


def test_programs_get_every_field() -> None:
    hosts = json.loads(recap_json(RECAPS))["hosts"]
    assert [host["host"] for host in hosts] == ["db-1", "db-2", "web-1", "web-2", "web-3", "web-10"]
    assert hosts[3]["problems"][0]["code"] == "not-ours"


def test_programs_read_what_was_done_to_each_resource_of_each_app() -> None:
    done = AppRecap("web", "converged", {"file:/etc/motd": "change", "link:/etc/old": "delete"})
    (host,) = json.loads(recap_json([HostRecap("web-1", changed=2, apps=(done,))]))["hosts"]
    changes = {"file:/etc/motd": "change", "link:/etc/old": "delete"}
    assert host["apps"] == [{"app": "web", "status": "converged", "changes": changes}]


recaps = st.builds(
    HostRecap,
    st.integers(1, 2000).map(lambda number: f"web-{number}"),
    ok=st.integers(0, 2000),
    changed=st.integers(0, 3),
    failed=st.integers(0, 2),
    unreachable=st.sampled_from(["", "no route to host"]),
)


@given(hosts=st.lists(recaps, max_size=8, unique_by=lambda recap: recap.host))
def test_each_host_is_counted_exactly_once(hosts: list[HostRecap]) -> None:
    last = recap_text(hosts, color=False).splitlines()[-1]
    total, *parts = map(int, re.findall(r"\d+", last))
    assert total == len(hosts) == sum(parts)


@given(hosts=st.lists(recaps, min_size=1, max_size=8, unique_by=lambda recap: recap.host))
def test_the_numbers_stand_below_each_other(hosts: list[HostRecap]) -> None:
    lines = recap_text(hosts, color=False).splitlines()[: len(hosts)]
    assert len({re.search("ok=|unreachable:", line).start() for line in lines}) == 1  # type: ignore[union-attr]
