"""An apply on trial stands once it is confirmed, and is taken back where it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.resources.applying import engine
from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import Request
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.ledger import AppRecord
from reconciler.resources.records.trial import Trial, Verdict, judge
from tests.fakes.requests import actions, confirm, request, run, trial_of, undo, wanted
from tests.fakes.system import FakeHost, FakeService

NEVER = {"command": {"argv": ["never"]}, "within": "0s"}


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    host.answers["never",] = Completed(1, stderr="no")
    host.services["net"] = FakeService(running=True, enabled=True)
    host.reads = {"net": ("/etc/net",)}
    return host


def net(text: str, generation: int, seconds: float = 60.0, **options: Any) -> Request:
    """An app whose file a service reads."""
    return request(
        wanted("file", path="/etc/net", content=text, called="net"),
        wanted("service", name="net", restartOn=["net"]),
        generation=generation,
        confirm_seconds=seconds,
        **options,
    )


def record_of(host: FakeHost) -> AppRecord:
    return read_ledger(host, "fleet", "host").apps["web"]


def backups(host: FakeHost) -> list[str]:
    return [path for path in host.entries if "/backups/" in path]


def test_what_is_confirmed_stands_and_the_way_back_is_forgotten(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    _, done = run(net("two", 2), host)
    assert (done.status, record_of(host).status) == ("confirming", "confirming")
    assert backups(host), "what stood there is kept for as long as it may be needed"
    assert confirm(host, trial_of(host))
    assert (record_of(host).status, record_of(host).trial, host.text("/etc/net")) == ("converged", None, "two")
    assert not backups(host)


def test_what_is_not_confirmed_is_taken_back_with_the_services_that_ran_with_it(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    before = record_of(host)
    run(net("two", 2), host)
    events, done = undo(host, trial_of(host))
    assert done.status == "unconfirmed"
    assert done.error == "Redis could not be reached for 60 s after the apply, so it was taken back"
    assert actions(events) == {"file:/etc/net": "restored", "service:net": "restart"}
    assert host.services["net"].serving == {"/etc/net": b"one"}
    after = record_of(host)
    assert (after.digest, after.recovery, after.owned, after.services) == (
        before.digest,
        before.recovery,
        before.owned,
        before.services,
    )
    assert (after.status, after.generation, after.rejected) == ("unconfirmed", 2, ())


def test_the_first_apply_of_an_app_is_taken_back_to_nothing(host: FakeHost) -> None:
    before = host.tree()
    run(request(wanted("file", path="/etc/new/net", content="x"), confirm_seconds=60), host)
    undo(host, trial_of(host))
    assert host.tree() == before
    assert (record_of(host).owned, record_of(host).digest) == ({}, "")


def test_what_was_taken_back_twice_is_rejected_until_it_is_forgiven(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    for generation, rejected in ((2, ()), (3, (net("two", 3).digest,))):
        run(net("two", generation), host)
        undo(host, trial_of(host))
        assert record_of(host).rejected == rejected
    engine.forgive(host, "fleet", "host", "web")
    run(net("two", 4), host)
    undo(host, trial_of(host))
    assert record_of(host).rejected == (), "who asks for it anew gets two tries again"


def test_between_two_different_changes_each_has_its_own_two_tries(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    for generation, text in ((2, "two"), (3, "three"), (4, "two")):
        run(net(text, generation), host)
        undo(host, trial_of(host))
    assert record_of(host).rejected == ()


def test_an_apply_over_one_on_trial_is_taken_back_to_before_both(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    run(net("two", 2), host)
    first = trial_of(host)
    run(net("three", 3), host)
    assert not confirm(host, first), "that trial is over"
    assert undo(host, first)[1].status == "confirming"
    assert host.text("/etc/net") == "three"
    undo(host, trial_of(host))
    assert host.text("/etc/net") == "one"


def test_an_apply_over_one_on_trial_that_fails_goes_back_to_before_both(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    known = record_of(host)
    run(net("two", 2), host)
    _, done = run(net("three", 3, health=(NEVER,)), host)
    assert done.status == "rolled-back"
    assert (host.text("/etc/net"), record_of(host).digest, record_of(host).trial) == ("one", known.digest, None)


def test_the_same_again_over_one_on_trial_gives_it_no_more_time(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    run(net("two", 2), host)
    first = trial_of(host)
    _, done = run(net("two", 3), host)
    assert (done.status, done.changed) == ("confirming", 0)
    assert trial_of(host) == replace(first, generation=3)
    undo(host, trial_of(host))
    assert host.text("/etc/net") == "one"


def test_an_apply_that_nobody_wants_confirmed_ends_the_trial_before_it(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    run(net("two", 2), host)
    _, done = run(net("two", 3, 0), host)
    assert (done.status, record_of(host).trial, backups(host)) == ("converged", None, [])


def test_an_apply_that_changes_nothing_needs_no_trial(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    _, done = run(net("one", 2), host)
    assert (done.status, record_of(host).trial) == ("converged", None)


def test_a_failed_apply_that_is_not_rolled_back_is_on_trial_too(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    _, done = run(net("two", 2, on_failure="stop", health=(NEVER,)), host)
    assert done.status == "failed"
    undo(host, trial_of(host))
    assert (host.text("/etc/net"), record_of(host).status) == ("one", "unconfirmed")


def test_confirming_a_failed_apply_leaves_it_failed(host: FakeHost) -> None:
    run(net("two", 1, on_failure="stop", health=(NEVER,)), host)
    assert confirm(host, trial_of(host))
    assert (record_of(host).status, record_of(host).trial) == ("failed", None)


def test_what_another_app_took_over_meanwhile_is_left_to_it(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="1"), wanted("file", path="/etc/b", content="1")), host)
    both = (wanted("file", path="/etc/a", content="2"), wanted("file", path="/etc/b", content="2"))
    run(request(*both, generation=2, confirm_seconds=60), host)
    run(request(wanted("file", path="/etc/b", content="theirs"), app="other", generation=3), host)
    undo(host, trial_of(host))
    assert (host.text("/etc/a"), host.text("/etc/b")) == ("1", "theirs")
    assert set(read_ledger(host, "fleet", "host").apps["other"].owned) == {"file:/etc/b"}


def test_what_was_let_go_is_owned_again(host: FakeHost) -> None:
    kept, new = wanted("file", path="/etc/kept", content="1", keep=True), wanted("file", path="/etc/new", content="1")
    run(request(kept), host)
    run(request(new, generation=2, confirm_seconds=60), host)
    assert set(record_of(host).owned) == {"file:/etc/new"}
    undo(host, trial_of(host))
    assert set(record_of(host).owned) == {"file:/etc/kept"}


def test_what_cannot_be_taken_back_is_told(host: FakeHost) -> None:
    run(net("one", 1, 0), host)
    run(net("two", 2), host)
    for path in backups(host):
        host.remove(path)
    _, done = undo(host, trial_of(host))
    assert done.error.endswith("Not all could be: net: the backup of /etc/net is gone")


def test_a_service_that_the_run_started_is_stopped_and_stays_so(host: FakeHost) -> None:
    host.services["net"] = FakeService(running=False)
    run(net("one", 1), host)
    assert host.services["net"].serving == {"/etc/net": b"one"}
    events, _ = undo(host, trial_of(host))
    assert not host.services["net"].running
    assert actions(events)["service:net"] == "restored"


def test_a_reboot_gives_a_trial_all_of_its_time_again(host: FakeHost) -> None:
    run(net("one", 1), host)
    first = trial_of(host)
    host.boot, host.clock.seconds = "second boot", 5.0
    assert engine.renew(host, "fleet", "host", "web", first)
    again = trial_of(host)
    assert (again.boot, again.until, again.rebooted) == ("second boot", 65.0, True)
    assert not engine.renew(host, "fleet", "host", "web", first)
    _, done = undo(host, again)
    assert done.error.startswith("Redis could not be reached for 60 s after the reboot that followed the apply")


TRIAL = Trial("digest", 1, 60.0, "boot 1", until=1060.0, ended=True)


@pytest.mark.parametrize(
    ("boot", "now", "reached", "verdict"),
    [
        ("boot 1", 1001.0, 0.0, Verdict.WAIT),
        ("boot 1", 1059.9, 0.0, Verdict.WAIT),
        ("boot 1", 1060.0, 0.0, Verdict.TAKE_BACK),
        ("boot 1", 9999.0, 0.0, Verdict.TAKE_BACK),
        ("boot 1", 1100.0, 1050.0, Verdict.WAIT),
        ("boot 2", 10.0, 0.0, Verdict.RENEW),
        ("boot 2", 2000.0, 0.0, Verdict.RENEW),
        ("boot 1", 10.0, 0.0, Verdict.RENEW),
    ],
)
def test_a_trial_is_judged_by_the_time_of_its_boot(boot: str, now: float, reached: float, verdict: Verdict) -> None:
    assert judge(TRIAL, boot, now, reached) is verdict


def test_a_second_reboot_without_contact_ends_it(host: FakeHost) -> None:
    renewed = TRIAL.renewed("boot 2", 20.0)
    assert judge(renewed, "boot 2", 79.0) is Verdict.WAIT
    assert judge(renewed, "boot 3", 20.0) is Verdict.TAKE_BACK


def test_a_change_that_fails_over_one_on_trial_keeps_what_that_one_made(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/new", content="1"), confirm_seconds=60), host)
    refused = wanted("file", path="/etc/new", content="2", validate=["never", "%s"])
    host.answers["never", "/etc/new.new"] = Completed(1)
    run(request(refused, generation=2, confirm_seconds=60, on_failure="stop"), host)
    assert confirm(host, trial_of(host))
    assert (set(record_of(host).owned), host.text("/etc/new")) == ({"file:/etc/new"}, "1")
