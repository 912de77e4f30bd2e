"""Restarts are state: what a service was last started with stands in the ledger, and decides."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import Request
from tests.fakes.requests import actions, request, run, wanted
from tests.fakes.system import FakeHost, FakeService


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    host.services["web"] = FakeService(running=True, enabled=True, started_at=host.clock.seconds)
    return host


def site(text: str, generation: int = 1, **service: Any) -> Request:
    trigger = service or {"reloadOn": ["site"]}
    return request(
        wanted("file", path="/etc/web/site", content=text, called="site"),
        wanted("service", name="web", **trigger),
        generation=generation,
    )


def test_a_changed_file_reloads_once_and_an_unchanged_one_does_not(host: FakeHost) -> None:
    run(site("one"), host)
    run(site("one"), host)
    run(site("two", 2), host)
    run(site("two", 2), host)
    assert host.services["web"].renewals == ["reload", "reload"]


def test_a_healed_file_reloads_too(host: FakeHost) -> None:
    run(site("one"), host)
    host.file("/etc/web/site", "drifted")
    run(site("one"), host)
    assert host.services["web"].renewals == ["reload", "reload"]


def test_a_restart_makes_a_reload_unnecessary(host: FakeHost) -> None:
    run(site("one", restartOn=["site"], reloadOn=["site"]), host)
    assert host.services["web"].renewals == ["restart"]


def test_a_service_that_was_just_started_is_not_restarted(host: FakeHost) -> None:
    host.services["web"].running = False
    events, _ = run(site("one"), host)
    assert actions(events)["service:web"] == "change"
    assert host.services["web"].renewals == []


def test_a_service_declared_before_its_file_is_reloaded_after_it(host: FakeHost) -> None:
    host.services["web"].running = False
    wish = request(
        wanted("service", name="web", reloadOn=["file:/etc/late"]), wanted("file", path="/etc/late", content="x")
    )
    run(wish, host)
    assert host.services["web"].renewals == ["reload"]


def test_a_glob_sees_files_that_come_change_and_go(host: FakeHost) -> None:
    service = wanted("service", name="web", reloadOn=["path:/etc/web/conf.d/*"])
    a, b = (wanted("file", path=f"/etc/web/conf.d/{name}", content=name) for name in "ab")
    for generation, files in enumerate(((a,), (a, b), (b,), (b,))):
        run(request(*files, service, generation=generation), host)
    assert host.services["web"].renewals == ["reload"] * 3


def test_without_a_ledger_nothing_is_restarted_if_the_files_match_and_are_older(host: FakeHost) -> None:
    run(site("one"), host)
    host.services["web"].started_at = host.clock.seconds + 0.1
    for path in ("/var/lib/reconciler/ledger.json",):
        host.remove(path)
    renewals = list(host.services["web"].renewals)
    _, done = run(site("one"), host)
    assert (done.status, done.changed) == ("converged", 0)
    assert host.services["web"].renewals == renewals


def test_without_a_ledger_a_service_older_than_its_file_is_reloaded(host: FakeHost) -> None:
    host.file("/etc/web/site", "one")
    run(site("one"), host)
    assert host.services["web"].renewals == ["reload"]


def test_a_check_that_fails_puts_the_files_back_and_leaves_the_service_alone(host: FakeHost) -> None:
    run(site("one"), host)
    host.answers["web", "-t"] = Completed(1, stderr="unexpected }")
    for on_failure in ("rollback", "stop"):
        wish = request(
            wanted("file", path="/etc/web/site", content="broken", called="site"),
            wanted("service", name="web", reloadOn=["site"], check=["web", "-t"]),
            generation=2,
            on_failure=on_failure,
        )
        _, done = run(wish, host)
        assert (done.status, done.code) == ("rolled-back", "check-failed")
        assert done.error == "web refuses the new configuration: exit code 1: unexpected }"
        assert host.text("/etc/web/site") == "one"
        assert host.services["web"].renewals == ["reload"]


def test_a_check_runs_only_where_a_reload_is_due(host: FakeHost) -> None:
    wish = request(wanted("service", name="web", check=["web", "-t"]))
    run(wish, host)
    assert host.commands("web") == []


def test_an_owed_reload_is_made_up_for_after_a_run_that_stopped(host: FakeHost) -> None:
    file = wanted("file", path="/etc/web/site", content="one", called="site")
    service = wanted("service", name="web", reloadOn=["site"])
    host.answers["doomed",] = Completed(1)
    run(request(file, service, wanted("command", argv=["doomed"]), on_failure="stop"), host)
    assert host.services["web"].renewals == []
    run(request(file, service, generation=2), host)
    assert host.services["web"].renewals == ["reload"]


def test_a_changed_unit_file_is_made_known_to_systemd_before_a_restart(host: FakeHost) -> None:
    show = (
        "systemctl",
        "show",
        "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload,ActiveEnterTimestampMonotonic",
        "web.service",
    )
    host.answers[show] = Completed(
        0, "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=yes\n"
    )
    run(site("one", restartOn=["site"]), host)
    verbs = [argv[1] for argv in host.commands("systemctl") if argv[1] != "show"]
    assert verbs == ["daemon-reload", "restart"]
