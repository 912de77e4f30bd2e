"""A failed run goes back to what was before it, as far as that is possible, and says what stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.records.book import read_ledger
from tests.fakes.requests import actions, request, run, wanted
from tests.fakes.system import FakeHost, FakePackage, FakeService

NEVER = {"command": {"argv": ["never"]}, "within": "10s", "interval": "2s"}


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    host.answers["never",] = Completed(1, stderr="no")
    host.services["web"] = FakeService(running=False)
    host.repository["tool"] = FakePackage()
    return host


def test_files_links_and_services_go_back_and_packages_stay_and_are_listed(host: FakeHost) -> None:
    host.file("/etc/a", "before", mode=0o600)
    host.symlink("/etc/l", "before")
    before = host.tree()
    wish = request(
        wanted("package", name="tool"),
        wanted("file", path="/etc/a", content="after"),
        wanted("file", path="/etc/new/b", content="new"),
        wanted("link", path="/etc/l", target="after"),
        wanted("service", name="web"),
        adopt="replace",
        health=(NEVER,),
    )
    events, done = run(wish, host)
    assert (done.status, done.code) == ("rolled-back", "unhealthy")
    assert host.tree() == before
    assert (host.services["web"].running, host.services["web"].enabled) == (False, False)
    assert actions(events)["package:tool"] == "left"
    assert set(done.resources) == {"package:tool"}


def test_the_rejected_digest_is_remembered_until_it_succeeds(host: FakeHost) -> None:
    good = request(wanted("file", path="/etc/a", content="good"))
    bad = request(wanted("file", path="/etc/a", content="bad"), health=(NEVER,), generation=2)
    run(good, host)
    run(bad, host)
    record = read_ledger(host, "fleet", "host").apps["web"]
    assert (record.rejected, record.digest, record.status) == ((bad.digest,), good.digest, "rolled-back")
    del host.answers["never",]
    run(bad, host)
    record = read_ledger(host, "fleet", "host").apps["web"]
    assert (record.rejected, record.digest, record.status) == ((), bad.digest, "converged")


def test_a_run_that_failed_before_changing_anything_is_not_rejected(host: FakeHost) -> None:
    _, done = run(request(wanted("package", name="unknown")), host)
    assert done.status == "failed"
    assert read_ledger(host, "fleet", "host").apps["web"].rejected == ()


def test_a_change_that_failed_before_it_did_anything_leaves_ours_what_was_ours(host: FakeHost) -> None:
    key = "ssh-ed25519 AAA ours"
    run(request(wanted("user", name="deploy", authorizedKeys=[key])), host)
    before = read_ledger(host, "fleet", "host").apps["web"].owned
    host.answers["usermod --groups absent --append deploy",] = Completed(6, stderr="no such group")
    _, done = run(request(wanted("user", name="deploy", groups=["absent"]), generation=2), host)
    assert done.status == "failed"
    assert read_ledger(host, "fleet", "host").apps["web"].owned == before


def test_on_failure_stop_leaves_things_as_they_are(host: FakeHost) -> None:
    _, done = run(request(wanted("file", path="/etc/a", content="new"), health=(NEVER,), on_failure="stop"), host)
    assert (done.status, host.text("/etc/a")) == ("failed", "new")


def test_what_a_run_pruned_comes_back(host: FakeHost) -> None:
    host.repository["tool"] = FakePackage(services=("daemon",))
    run(
        request(
            wanted("package", name="tool"),
            wanted("service", name="daemon"),
            wanted("file", path="/etc/old", content="old", mode="0600"),
        ),
        host,
    )
    host.answers["systemctl", "stop", "daemon.service"] = Completed(1, stderr="it will not stop")
    before = host.tree()
    _, done = run(request(generation=2), host)
    assert (done.status, host.tree()) == ("rolled-back", before)
    assert set(done.resources) == {"package:tool", "service:daemon", "file:/etc/old"}


def test_a_service_that_ran_with_the_new_files_runs_with_the_old_ones_again(host: FakeHost) -> None:
    host.reads["web"] = ("/etc/site",)

    def version(text: str, generation: int, *checks: Mapping[str, Any]) -> None:
        site = wanted("file", path="/etc/site", content=text, called="site")
        service = wanted("service", name="web", restartOn=["site"])
        run(request(site, service, generation=generation, health=checks), host)

    version("old", 1)
    version("new", 2, NEVER)
    assert host.services["web"].renewals == ["restart", "restart"]
    assert host.services["web"].serving == {"/etc/site": b"old"}


def test_health_is_tried_until_it_holds_or_its_time_is_over(host: FakeHost) -> None:
    started = host.clock.seconds
    events, done = run(request(health=(NEVER,)), host)
    assert (done.status, actions(events)) == ("failed", {"command never": "failed"})
    assert len(host.commands("never")) == 6
    assert host.clock.seconds - started >= 10
    tries = iter([Completed(1), Completed(1), Completed(0)])
    host.answers["never",] = lambda: next(tries)
    assert run(request(health=(NEVER,), generation=2), host)[1].status == "converged"


def test_a_check_that_only_the_old_process_could_answer_does_not_pass_a_reload(host: FakeHost) -> None:
    """A reload returns at once, and old workers answer until the new ones are up."""

    def version(text: str, generation: int) -> str:
        site = wanted("file", path="/etc/site", content=text, called="site")
        service = wanted("service", name="web", reloadOn=["site"])
        check = {"command": {"argv": ["page"]}, "within": "0s", "interval": "2s"}
        return run(request(site, service, generation=generation, health=(check,)), host)[1].status

    assert version("good", 1) == "converged"
    answers = iter([Completed(0), Completed(1)])
    host.answers["page",] = lambda: next(answers)
    assert version("bad", 2) == "rolled-back"
    assert host.text("/etc/site") == "good"


def test_health_is_looked_at_once_where_nothing_was_renewed(host: FakeHost) -> None:
    host.answers["page",] = Completed(0)
    check = {"command": {"argv": ["page"]}}
    run(request(wanted("file", path="/etc/a", content="a"), health=(check,)), host)
    assert len(host.commands("page")) == 1
