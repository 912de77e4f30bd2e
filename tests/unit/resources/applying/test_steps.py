"""Runs of jobs on a host in memory: steps in order, restarts, and what is left when something goes wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from reconciler.resources.applying.engine import perform
from reconciler.resources.machine.system import Claim, Completed
from reconciler.resources.protocol import RebootEvent, ResourceEvent, RunEvent, RunFinished, RunRequest, Wanted
from tests.fakes.archives import sha256, tar
from tests.fakes.system import FakeHost, FakeService


def step(kind: str, name: str = "", /, **fields: Any) -> Wanted:
    return Wanted(f"{kind}:{name}", kind, name or kind, fields, "f")


def command(*argv: str) -> Wanted:
    return step("command", argv[0], argv=list(argv))


def request(*steps: Wanted, **values: Any) -> RunRequest:
    return RunRequest("f", "web-1", "01J", 0, "job", steps, **values)


def run(host: FakeHost, asked: RunRequest, stopped: Callable[[], str] = lambda: "") -> list[RunEvent]:
    told: list[RunEvent] = []
    perform(asked, host, told.append, stopped)
    return told


def ending(events: list[RunEvent]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


def actions(events: list[RunEvent]) -> list[str]:
    return [event.action for event in events if isinstance(event, ResourceEvent)]


def test_steps_are_done_in_order_and_end_with_the_first_that_fails() -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0), ("b",): Completed(3, stderr="no space"), ("c",): Completed(0)}
    events = run(host, request(command("a"), command("b"), command("c")))
    assert actions(events) == ["change", "failed"]
    assert (ending(events).status, ending(events).exit_code) == ("failed", 3)
    assert "no space" in ending(events).error
    assert host.ran == [("a",), ("b",)]


def test_what_a_job_changes_it_does_not_own() -> None:
    host = FakeHost()
    events = run(host, request(step("file", "/etc/x", path="/etc/x", content="new\n")))
    assert (ending(events).status, ending(events).changed) == ("succeeded", 1)
    assert host.text("/etc/x") == "new\n"
    assert host.text("/var/lib/reconciler/ledger.json") is None


def test_a_service_is_stopped_and_started_again_within_one_job() -> None:
    host = FakeHost()
    host.services["nginx"] = FakeService(running=True, enabled=True)
    events = run(
        host,
        request(
            step("service", "nginx", name="nginx", state="stopped"),
            step("service", "nginx", name="nginx", state="running"),
            step("service", "nginx", name="nginx", state="restarted"),
        ),
    )
    assert actions(events) == ["change", "change", "restart"]
    assert host.services["nginx"].running


def test_a_service_is_reloaded_only_if_what_it_waits_for_changed() -> None:
    host = FakeHost()
    host.services["nginx"] = FakeService(running=True, enabled=True)
    steps = (
        step("file", "site", path="/etc/x", content="new\n"),
        step("service", "nginx", name="nginx", reloadOn=["site"]),
    )
    assert actions(run(host, request(*steps))) == ["add", "reload"]
    assert actions(run(host, dataclasses.replace(request(*steps), id="02J"))) == ["ok", "ok"]


def test_a_run_that_is_delivered_twice_is_done_once_and_tells_the_same() -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0)}
    first = ending(run(host, request(command("a"))))
    again = ending(run(host, request(command("a"))))
    assert again == dataclasses.replace(first, repeated=True)
    assert host.ran == [("a",)]


@pytest.mark.parametrize(
    ("on_lost", "status", "ran"), [("fail", "failed", ["a"]), ("retry", "succeeded", ["a", "a", "b"])]
)
def test_a_run_whose_executor_is_lost_is_begun_again_only_if_it_may_be(
    on_lost: str, status: str, ran: list[str]
) -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0), ("b",): Completed(0)}
    asked = request(command("a"), command("b"), on_lost=on_lost)
    assert ending(run(host, asked, stopped=lambda: "lost" if host.ran else "")).status == "lost"
    assert ending(run(host, asked)).status == status
    assert [argv[0] for argv in host.ran] == ran


def _over(host: FakeHost) -> bool:
    """What a program's starter asks before it gives the word to go, and while the program runs."""
    assert host.hearing
    return host.hearing.over()


class SleepyHost(FakeHost):
    """Its executor was stopped for ten seconds while it took the lock."""

    @contextmanager
    def exclusive(self, claim: Claim, place: str = "") -> Iterator[None]:
        with super().exclusive(claim, place):
            self.clock.sleep(10.0)
            yield


def test_what_was_withdrawn_before_it_began_is_not_begun_by_who_has_not_heard_of_that() -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0)}
    assert ending(run(host, request(command("a"), token=2, withdrawn=True))).status == "cancelled"
    assert ending(run(host, request(command("a"), token=1))).status == "lost"
    assert ending(run(host, request(command("a"), token=3))).status == "cancelled"
    assert host.ran == []
    asked_again = dataclasses.replace(request(command("a"), token=4), issue=1)
    assert ending(run(host, asked_again)).status == "succeeded"


@pytest.mark.parametrize("asked", [command("a"), step("file", "/etc/x", path="/etc/x", content="new\n")])
def test_what_may_be_someone_elses_by_now_is_not_begun(asked: Wanted) -> None:
    host = SleepyHost()
    host.answers = {("a",): Completed(0)}
    assert ending(run(host, request(asked, begin_seconds=5.0))).status == "lost"
    assert (host.ran, host.text("/etc/x")) == ([], None)
    assert ending(run(host, request(asked, begin_seconds=15.0))).status == "succeeded"


def test_a_program_gets_no_word_to_go_once_the_run_may_be_someone_elses() -> None:
    host = FakeHost()

    def waits_for_the_word() -> Completed:
        host.clock.sleep(10.0)
        return Completed(-15 if _over(host) else 0)

    host.answers = {("a",): waits_for_the_word}
    assert ending(run(host, request(command("a"), begin_seconds=5.0))).status == "lost"
    host.answers = {("a",): Completed(0)}
    assert ending(run(host, request(command("a")))).status == "succeeded", "nothing had begun"


def test_what_has_begun_goes_on_however_long_nobody_renewed_it() -> None:
    host = FakeHost()

    def takes_long() -> Completed:
        assert not _over(host)
        host.clock.sleep(10.0)
        return Completed(-15 if _over(host) else 0)

    host.answers = {("a",): takes_long, ("b",): takes_long}
    assert ending(run(host, request(command("a"), command("b"), begin_seconds=5.0))).status == "succeeded"


def test_a_cancelled_run_ends_before_its_next_step() -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0), ("b",): Completed(0)}
    events = run(host, request(command("a"), command("b")), stopped=lambda: "cancelled" if host.ran else "")
    assert ending(events).status == "cancelled"
    assert host.ran == [("a",)]


def test_a_run_that_is_cancelled_while_a_step_fetches_what_it_needs_changes_nothing() -> None:
    host, content = FakeHost(), tar({"app": "one"})
    host.downloads["https://example.org/app"] = content
    asked = step("archive", "app", source="https://example.org/app", sha256=sha256(content), path="/opt/app")
    events = run(host, request(asked), stopped=lambda: "cancelled" if host.commands("download") else "")
    assert (ending(events).status, host.look("/opt/app")) == ("cancelled", None)
    assert ending(run(host, dataclasses.replace(request(asked), issue=1))).status == "succeeded"
    assert host.text("/opt/app/app") == "one"


def test_a_run_goes_on_after_the_host_restarted() -> None:
    host = FakeHost()
    host.programs.add("systemctl")
    host.answers = {("a",): Completed(0), ("b",): Completed(0), ("systemctl", "reboot"): Completed(0)}
    asked = request(command("a"), step("reboot", timeout="60s"), command("b"))
    events = run(host, asked)
    assert RebootEvent(60.0) in events
    assert ending(events).status == "rebooting"
    assert ending(run(host, asked)).status == "rebooting", "it has not gone down yet"
    host.boot = "second boot"
    assert ending(run(host, asked)).status == "succeeded"
    assert host.ran == [("a",), ("systemctl", "reboot"), ("b",)]


def test_processes_that_are_left_behind_are_told() -> None:
    host = FakeHost()
    host.answers = {("a",): Completed(0)}
    host.left_behind = 2
    assert ending(run(host, request(command("a")))).left == 2


def test_everything_wrong_with_the_steps_is_told_at_once_and_nothing_is_done() -> None:
    host = FakeHost(sandbox=True)
    events = run(host, request(command("a"), step("package", "x", name="x"), step("reboot")))
    assert "a sandbox has no packages" in ending(events).error
    assert "cannot restart" in ending(events).error
    assert host.ran == []
