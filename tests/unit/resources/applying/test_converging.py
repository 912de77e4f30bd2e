"""Resources are brought to their state, in order, with a second look."""

from __future__ import annotations

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import HealthEvent, ResourceEvent
from reconciler.resources.records.book import read_ledger
from tests.fakes.requests import actions, look, request, run, wanted
from tests.fakes.system import FakeHost, FakePackage, FakeService


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def test_a_file_is_written_with_its_parents_and_the_second_run_changes_nothing(host: FakeHost) -> None:
    wish = request(wanted("file", path="/etc/app/conf.d/a", content="hello\n", mode="0600"))
    events, done = run(wish, host)
    assert actions(events) == {"file:/etc/app/conf.d/a": "add"}
    assert (done.status, done.changed) == ("converged", 1)
    assert host.text("/etc/app/conf.d/a") == "hello\n"
    assert host.entries["/etc/app/conf.d/a"].mode == 0o600
    steps = host.steps
    events, done = run(wish, host)
    assert (actions(events), done.changed) == ({"file:/etc/app/conf.d/a": "ok"}, 0)
    assert host.steps == steps, "an unchanged run writes nothing at all"


def test_resources_come_first_then_reloads_then_health_and_deletes_come_last(host: FakeHost) -> None:
    host.services["web"] = FakeService(running=True, enabled=True)
    service = wanted("service", name="web", reloadOn=["path:/etc/*"])
    run(request(wanted("file", path="/etc/old", content="x"), service), host)
    healthy = {"command": {"argv": ["well"]}}
    host.answers["well",] = Completed(0)
    second = request(wanted("file", path="/etc/new", content="x"), service, health=(healthy,), generation=2)
    events, _ = run(second, host)
    told = [
        f"{event.action} {event.id}" if isinstance(event, ResourceEvent) else event.check
        for event in events
        if isinstance(event, (ResourceEvent, HealthEvent))
    ]
    assert told == [
        "add file:/etc/new",
        "ok service:web",
        "reload service:web",
        "command well",
        "delete file:/etc/old",
        "reload service:web",
    ]


def test_nothing_is_deleted_while_the_app_is_not_healthy(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/old", content="x")), host)
    host.answers["well",] = Completed(1)
    unwell = {"command": {"argv": ["well"]}, "within": "0s"}
    _, done = run(request(health=(unwell,), on_failure="stop", generation=2), host)
    assert done.status == "failed"
    assert host.text("/etc/old") == "x"


def test_the_finished_event_carries_what_stands_in_the_ledger(host: FakeHost) -> None:
    resource = wanted("file", path="/etc/a", content="a")
    _, done = run(request(resource, generation=7), host)
    assert done.resources == {"file:/etc/a": resource.fingerprint}
    ledger = read_ledger(host, "fleet", "host")
    assert ledger.generation == 7
    assert ledger.apps["web"].status == "converged"


def test_a_failed_resource_ends_the_app_and_the_rest_is_skipped(host: FakeHost) -> None:
    host.answers["false",] = Completed(1, stderr="no luck")
    wish = request(
        wanted("command", argv=["false"], called="doomed"),
        wanted("file", path="/etc/b", content="b"),
        on_failure="stop",
    )
    events, done = run(wish, host)
    assert actions(events) == {"command:false": "failed", "file:/etc/b": "skipped"}
    assert done.status == "failed"
    assert done.error == "doomed: false failed: exit code 1: no luck"
    assert host.text("/etc/b") is None


def test_a_resource_that_still_differs_after_its_change_has_failed(host: FakeHost) -> None:
    host.services["stubborn"] = FakeService()
    host.answers["systemctl", "start", "stubborn.service"] = Completed(0)
    _, done = run(request(wanted("service", name="stubborn")), host)
    assert done.code == "still-differs"
    assert "state: stopped -> running" in done.error


def test_all_fields_that_are_wrong_are_told_at_once_and_nothing_is_done(host: FakeHost) -> None:
    steps = host.steps
    wish = request(
        wanted("file", path="etc/a", content="a"),
        wanted("file", path="/etc/b", content="b", mode=644),
        wanted("file", path="/etc/c", content="c", colour="red"),
    )
    events, done = run(wish, host)
    assert (events, done.code) == ([], "invalid-field")
    assert done.error.count(";") == 2
    assert host.contents.keys() == {"/etc/passwd", "/etc/group", "/etc/shadow"}
    assert host.steps == steps + 1, "only the ledger's directory"


def test_a_request_that_is_older_than_the_ledger_is_refused(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="new"), generation=5), host)
    _, done = run(request(wanted("file", path="/etc/a", content="old"), generation=4), host)
    assert (done.status, done.code) == ("failed", "stale-generation")
    assert host.text("/etc/a") == "new"


def test_a_look_tells_what_an_apply_would_do_and_writes_nothing(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="one"), wanted("file", path="/etc/gone", content="x")), host)
    host.file("/etc/a", "drifted")
    steps = host.steps
    wish = request(wanted("file", path="/etc/a", content="one"), wanted("link", path="/etc/l", target="a"))
    events, done = look(wish, host)
    assert actions(events) == {"file:/etc/a": "change", "link:/etc/l": "add", "file:/etc/gone": "delete"}
    assert (done.status, done.changed, host.steps) == ("drifted", 3, steps)


def test_a_look_and_an_apply_agree(host: FakeHost) -> None:
    host.repository["nginx"] = FakePackage(services=("nginx",))
    wish = request(
        wanted("package", name="nginx"),
        wanted("file", path="/etc/site", content="x", called="site"),
        wanted("service", name="nginx", reloadOn=["site"]),
    )
    seen, done = look(wish, host)[0], run(wish, host)[0]
    told = [(event.id, event.action) for event in done if isinstance(event, ResourceEvent)]
    assert told == [(event.id, event.action) for event in seen if isinstance(event, ResourceEvent)]
    assert told[-2:] == [("service:nginx", "add"), ("service:nginx", "reload")]  # its package brought and started it

    host.file("/etc/site", "drifted")
    seen, done = look(wish, host)[0], run(wish, host)[0]
    assert actions(seen) == actions(done)
    assert actions(done) == {"package:nginx": "ok", "file:/etc/site": "change", "service:nginx": "reload"}
    assert look(wish, host)[1].status == "in-sync"


def test_text_before_a_change_is_told_only_where_everyone_may_read_it(host: FakeHost) -> None:
    for path, mode in (("/etc/open", 0o644), ("/etc/closed", 0o640)):
        host.file(path, "before", mode)
    wish = request(
        *(wanted("file", path=path, content="after", mode="0644") for path in ("/etc/open", "/etc/closed")),
        adopt="replace",
    )
    events, _ = run(wish, host)
    assert [getattr(event, "before", "") for event in events] == ["before", None]


def test_a_package_that_cannot_be_located_is_tried_again_after_an_update(host: FakeHost) -> None:
    def update() -> Completed:
        host.repository["nginx"] = FakePackage()
        return Completed(0)

    host.answers["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=120"] = update
    _, done = run(request(wanted("package", name="nginx")), host)
    assert done.status == "converged"
    assert host.packages == {"nginx": "1.0-1"}


def test_an_unguarded_command_runs_once_until_it_is_declared_differently(host: FakeHost) -> None:
    for _ in range(2):
        run(request(wanted("command", argv=["seed", "1"])), host)
    run(request(wanted("command", argv=["seed", "1"], cwd="/etc")), host)
    assert host.commands("seed") == [("seed", "1"), ("seed", "1")]


def test_an_app_takes_over_what_stands_under_its_old_name(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="a"), app="old"), host)
    _, done = run(request(app="new", formerly=("old",)), host)
    assert done.changed == 1
    assert host.text("/etc/a") is None
    assert set(read_ledger(host, "fleet", "host").apps) == {"new"}
