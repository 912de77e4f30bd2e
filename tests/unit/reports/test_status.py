"""How the fleet stands, on two axes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from reconciler.model.desired import Desired, DesiredApp
from reconciler.model.observed import AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.reports.status import Health, StatusRow, Sync, status_json, status_rows, status_text

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
DRIFT = Drift("file:/etc/nginx/nginx.conf", "change", ("mode: 0600 -> 0644", "content"))

ROWS = (
    StatusRow("db-1", "mariadb", Sync.IN_SYNC, Health.PAUSED, "1a2b3c4", NOW, paused="INC-42: disk swap"),
    StatusRow("web-1", "webapp", Sync.IN_SYNC, Health.HEALTHY, "1a2b3c4d" * 5, NOW - timedelta(minutes=5)),
    StatusRow("web-2", "webapp", Sync.OUT_OF_SYNC, Health.HEALTHY, "1a2b3c4", NOW - timedelta(hours=2), (DRIFT,)),
    StatusRow(
        "web-3",
        "webapp",
        Sync.OUT_OF_SYNC,
        Health.DEGRADED,
        "9f8e7d6",
        NOW - timedelta(days=3),
        error="service nginx: nginx -t failed\nline 7: unknown directive",
        note="rolled back to what was there before",
    ),
    StatusRow("web-4", "webapp", Sync.UNKNOWN, Health.MISSING, note="never applied"),
)


def desired(*apps: DesiredApp) -> Desired:
    hosts: dict[str, dict[str, DesiredApp]] = {}
    for app in apps:
        hosts.setdefault(app.host, {})[app.app] = app
    return Desired("example", "1a2b3c4", hosts, {})


def wanted(digest: str) -> Desired:
    return desired(DesiredApp("web-1", "webapp", "b", "{}", digest))


def seen(digest: str, status: AppStatus = AppStatus.CONVERGED, **rest: object) -> dict[str, ObservedHost]:
    return {"web-1": ObservedHost({"webapp": ObservedApp(1, digest, status, **rest)})}  # type: ignore[arg-type]


def only(rows: tuple[StatusRow, ...]) -> StatusRow:
    (row,) = rows
    return row


def test_each_trouble_is_told_below_its_line(snapshot: SnapshotAssertion) -> None:
    assert status_text(ROWS, now=NOW, color=False) == snapshot


def test_colours_of_a_status(snapshot: SnapshotAssertion) -> None:
    assert status_text(ROWS, now=NOW, color=True) == snapshot


def test_programs_read_both_axes(snapshot: SnapshotAssertion) -> None:
    assert status_json(ROWS) == snapshot


def test_in_a_large_fleet_only_what_needs_a_look_is_listed() -> None:
    fine = [StatusRow(f"web-{n}", "webapp", Sync.IN_SYNC, Health.HEALTHY, "1a2b3c4", NOW) for n in range(10, 1010)]
    text = status_text([*fine, ROWS[3]], now=NOW, color=False)
    assert "... 1000 more in sync and healthy, -v shows all\n" in text
    assert "web-3  webapp  out of sync  degraded" in text
    assert "web-999" not in text
    assert "web-999" in status_text(fine, now=NOW, color=False, verbose=True)


def test_a_fleet_where_all_is_well_says_so_in_its_last_line() -> None:
    assert status_text(ROWS[1:2], now=NOW, color=False).splitlines()[-1] == "1 app on 1 host: 1 in sync."


def test_an_empty_fleet_is_told() -> None:
    assert status_text((), now=NOW, color=False) == "No app is placed on any host.\n"


def test_an_app_is_in_sync_when_what_was_applied_is_what_is_wanted() -> None:
    row = only(status_rows(wanted("d1"), seen("d1", revision="1a2b3c4", finished_at=NOW)))
    assert (row.sync, row.health, row.revision, row.at) == (Sync.IN_SYNC, Health.HEALTHY, "1a2b3c4", NOW)


def test_an_older_digest_is_out_of_sync_and_may_be_healthy() -> None:
    row = only(status_rows(wanted("d2"), seen("d1")))
    assert (row.sync, row.health) == (Sync.OUT_OF_SYNC, Health.HEALTHY)


def test_drift_is_out_of_sync() -> None:
    assert only(status_rows(wanted("d1"), seen("d1", drift=(DRIFT,)))).sync is Sync.OUT_OF_SYNC


def test_a_failed_apply_is_degraded_and_never_in_sync() -> None:
    row = only(status_rows(wanted("d1"), seen("d1", AppStatus.FAILED, error="disk full")))
    assert (row.sync, row.health, row.error) == (Sync.OUT_OF_SYNC, Health.DEGRADED, "disk full")


def test_nothing_is_known_of_a_host_that_cannot_be_reached() -> None:
    away = replace(seen("d1")["web-1"], unreachable="connection refused", unreachable_since=NOW)
    row = only(status_rows(wanted("d1"), {"web-1": away}))
    assert (row.sync, row.health, row.fine) == (Sync.UNKNOWN, Health.UNKNOWN, False)


def test_a_host_out_of_reach_is_told_once_with_why_and_since_when(snapshot: SnapshotAssertion) -> None:
    away = ObservedHost(
        {app: ObservedApp(1, "d1", AppStatus.CONVERGED, "1a2b3c4") for app in ("mariadb", "webapp")},
        seen_at=NOW - timedelta(hours=3),
        unreachable="10.0.0.1 port 22: connection refused. Is it running?",
        unreachable_since=NOW - timedelta(minutes=90),
    )
    both = desired(*(DesiredApp("web-1", app, "b", "{}", "d1") for app in away.apps))
    assert status_text(status_rows(both, {"web-1": away}), now=NOW, color=False) == snapshot


def test_what_changed_in_a_drifted_file_is_shown_of_a_single_host(snapshot: SnapshotAssertion) -> None:
    drift = replace(DRIFT, diff=("@@ -1,2 +1,2 @@", " user www;", "-listen 81;", "+listen 80;"))
    row = replace(ROWS[2], drift=(drift,))
    assert status_text([row], now=NOW, color=False) == snapshot
    assert "listen" not in status_text([row, ROWS[0]], now=NOW, color=False)
    assert "+listen 80;" in status_text([row, ROWS[0]], now=NOW, color=False, verbose=True)


def test_an_app_never_applied_is_missing() -> None:
    row = only(status_rows(wanted("d1"), {}))
    assert (row.sync, row.health) == (Sync.UNKNOWN, Health.MISSING)


def test_an_app_that_left_the_manifests_is_still_listed_where_it_is() -> None:
    row = only(status_rows(desired(), seen("d1")))
    assert (row.sync, row.note) == (Sync.OUT_OF_SYNC, "left the manifests of this host")


def test_a_paused_host_says_why() -> None:
    observed = {"web-1": ObservedHost({"webapp": ObservedApp(1, "d1", AppStatus.CONVERGED)}, paused={"*": "INC-42"})}
    row = only(status_rows(wanted("d1"), observed))
    assert (row.health, row.paused) == (Health.PAUSED, "INC-42")


def test_pausing_one_app_leaves_the_others_of_the_host_as_they_are() -> None:
    apps = {app: ObservedApp(1, "d1", AppStatus.CONVERGED) for app in ("mariadb", "webapp")}
    both = desired(*(DesiredApp("web-1", app, "b", "{}", "d1") for app in apps))
    rows = status_rows(both, {"web-1": ObservedHost(apps, paused={"webapp": "INC-42"})})
    assert [(row.app, row.sync, row.health, row.paused) for row in rows] == [
        ("mariadb", Sync.IN_SYNC, Health.HEALTHY, ""),
        ("webapp", Sync.IN_SYNC, Health.PAUSED, "INC-42"),
    ]


def test_a_rejected_digest_says_that_it_is_not_tried_again() -> None:
    observed = {
        "web-1": ObservedHost({"webapp": ObservedApp(1, "d1", AppStatus.ROLLED_BACK)}, rejected=frozenset({"d2"}))
    }
    assert "failed here before; a change tries it again" in only(status_rows(wanted("d2"), observed)).note


@pytest.mark.parametrize("status", AppStatus)
def test_however_an_apply_ended_only_a_converged_one_is_in_sync_and_healthy(status: AppStatus) -> None:
    row = only(status_rows(wanted("d1"), seen("d1", status)))
    assert row.fine == (status is AppStatus.CONVERGED)


def test_a_look_that_found_nothing_new_counts_as_seen() -> None:
    found = seen("d1", finished_at=NOW - timedelta(days=1))["web-1"]
    assert only(status_rows(wanted("d1"), {"web-1": replace(found, seen_at=NOW)})).at == NOW


def test_the_latest_look_counts() -> None:
    row = only(status_rows(wanted("d1"), seen("d1", finished_at=NOW - timedelta(days=1), verified_at=NOW)))
    assert row.at == NOW


def test_the_reports_of_an_app_come_in_the_order_that_people_count() -> None:
    apps = [DesiredApp(f"web-{number}", "webapp", "b", "{}", "d") for number in (10, 2, 1)]
    assert [row.host for row in status_rows(desired(*apps), {})] == ["web-1", "web-2", "web-10"]


def test_times_are_utc_for_programs() -> None:
    assert json.loads(status_json(ROWS))["apps"][1]["at"] == "2026-11-23T06:25:00Z"
