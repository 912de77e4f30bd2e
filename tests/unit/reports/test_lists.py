"""Tables and checks: history, jobs, hosts, verify, doctor."""

import json
from datetime import UTC, datetime, timedelta

from syrupy.assertion import SnapshotAssertion

from reconciler.model.observed import Drift
from reconciler.model.work import Work, WorkState
from reconciler.reports.doctor import Check, Outcome, doctor_json, doctor_text
from reconciler.reports.history import HistoryRow, done_text, history_json, history_text
from reconciler.reports.hosts import HostRow, hosts_json, hosts_text
from reconciler.reports.jobs import jobs_json, jobs_text
from reconciler.reports.verify import VerifyRow, verify_json, verify_text

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)

EVENTS = (
    HistoryRow(NOW, "applied, 3 changed", "1a2b3c4d" * 5, "ops-1", "web-1", "webapp"),
    HistoryRow(NOW - timedelta(hours=5), "paused", who="alice", host="db-1", reason="INC-42: disk\nswap"),
)
WORKS = (
    Work("converge:webapp", "web-1", "converge", state=WorkState.RUNNING, attempt=1, started_at=NOW),
    Work(
        "01JDBQ6Z5R3V6W8X9Y0Z1A2B3C",
        "db-1",
        "run",
        {"job": "backup"},
        WorkState.FAILED,
        attempt=2,
        result={"error": "exit code 1"},
        started_at=NOW - timedelta(hours=1),
        finished_at=NOW - timedelta(minutes=3),
    ),
    Work("01JDBQ6Z5R3V6W8X9Y0Z1A2B3D", "db-1", "run", {"job": "backup"}, WorkState.SKIPPED, reason="gate was false"),
)
HOSTS = (
    HostRow("web-10", "10.0.0.10", "ssh", {"role": "web", "env": "prod"}, 2, NOW - timedelta(seconds=4)),
    HostRow("web-2", "10.0.0.2", "agent", state="maintenance until 2026-11-23 18:00Z: disk swap"),
)
LOOKS = (
    VerifyRow("web-2", "webapp", 12, (Drift("file:/etc/motd", "add", ("it is gone",)),)),
    VerifyRow(
        "web-3", "webapp", 12, (Drift("file:/etc/issue", "change", ("content",), ("@@ -1 +1 @@", "-bye", "+hello")),)
    ),
    VerifyRow("web-10", "webapp", 12),
    VerifyRow("db-1", "", error="db-1 cannot be reached: connection refused"),
)
CHECKS = (
    Check("redis", Outcome.OK, "Valkey 9.1.2 below .reconciler/store, append-only, noeviction"),
    Check("git", Outcome.WARN, "last commit is not pushed", "Others do not see it yet: git push"),
    Check("key", Outcome.FAIL, "mode of .reconciler/key is 0644", "chmod 0600 .reconciler/key"),
)


def test_history_tells_when_who_and_what(snapshot: SnapshotAssertion) -> None:
    assert history_text(EVENTS, color=False) == snapshot
    assert history_json(EVENTS) == snapshot


def test_a_fleet_without_history_says_so() -> None:
    assert history_text([], color=False) == "Nothing has happened yet.\n"


def test_history_is_in_utc_wherever_the_reader_is() -> None:
    there = datetime.fromisoformat("2026-11-23T08:30:00+02:00")
    assert "2026-11-23 06:30:00Z" in history_text([HistoryRow(there, "applied")], color=False)


def test_jobs_show_each_state_with_its_reason(snapshot: SnapshotAssertion) -> None:
    assert jobs_text(WORKS, now=NOW, color=False) == snapshot
    assert jobs_text(WORKS, now=NOW, color=True) == snapshot
    assert "01JDBQ6Z5R3V6W8X9Y0Z1A2B3C  db-1" in jobs_text(WORKS, now=NOW, color=False, whole=True)
    assert json.loads(jobs_json(WORKS))["jobs"][1]["state"] == "failed"


def test_a_long_reason_of_a_job_is_cut_where_a_terminal_would_wrap_it() -> None:
    work = Work("01K", "web-1", "run", {"job": "backup"}, state=WorkState.FAILED, reason="no room " * 40)
    heading, line = jobs_text([work], now=NOW, color=False, columns=80).splitlines()
    assert heading.endswith("REASON")
    assert len(line) == 80
    assert line.endswith("…")
    assert jobs_text([work], now=NOW, color=False).splitlines()[1].endswith("no room no room")


def test_no_jobs_are_told() -> None:
    assert jobs_text([], now=NOW, color=False) == "No jobs.\n"


def test_hosts_come_in_the_order_that_people_count(snapshot: SnapshotAssertion) -> None:
    assert hosts_text(HOSTS, now=NOW, color=False) == snapshot
    assert [host["name"] for host in json.loads(hosts_json(HOSTS))["hosts"]] == ["web-2", "web-10"]


def test_no_hosts_are_told() -> None:
    assert hosts_text([], now=NOW, color=False) == "No hosts.\n"


def test_a_look_at_the_hosts_tells_what_is_not_as_left(snapshot: SnapshotAssertion) -> None:
    assert verify_text(LOOKS, color=False) == snapshot
    assert [app["host"] for app in json.loads(verify_json(LOOKS))["apps"]] == ["db-1", "web-2", "web-3", "web-10"]


def test_a_look_without_a_find_is_calm() -> None:
    assert verify_text([VerifyRow("web-1", "webapp", 1)], color=False) == (
        "web-1  webapp  1 resource as left\n"
        "\n"
        "Verified 1 app on 1 host: no drift.\n"
    )  # fmt: skip


def test_the_doctor_names_a_remedy(snapshot: SnapshotAssertion) -> None:
    assert doctor_text(CHECKS, color=False) == snapshot
    assert doctor_text(CHECKS, color=True) == snapshot
    assert [check["outcome"] for check in json.loads(doctor_json(CHECKS))["checks"]] == ["ok", "warn", "fail"]


def test_the_doctor_finds_nothing() -> None:
    assert doctor_text(CHECKS[:1], color=False).splitlines()[-1] == "1 check: all is well."


def test_history_tells_resources_by_what_was_done_to_them() -> None:
    done = {"file:/a": "add", "file:/b": "add", "service:nginx": "change, restart"}
    assert done_text(done) == "add file:/a and file:/b; change and restart service:nginx"
