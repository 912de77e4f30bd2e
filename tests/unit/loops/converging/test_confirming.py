"""Timelines of an agent's host that is in touch with Redis after an apply, or is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from reconciler.errors import Unavailable
from reconciler.loops.converging.confirming import Confirming
from reconciler.resources.applying import engine
from reconciler.resources.protocol import Event
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.ledger import AppRecord, Ledger
from reconciler.resources.records.trial import Trial
from tests.fakes.disk import Killed
from tests.fakes.requests import request, run, wanted
from tests.fakes.system import FakeHost


class Machine:
    """An agent's host and its way to Redis; implements `confirming.Host`."""

    def __init__(self) -> None:
        self.system = FakeHost()
        self.in_touch = True
        self.contacts = 0
        self.confirming = self._agent()

    def apply(self, text: str, generation: int, *, seconds: float = 60.0) -> str:
        wish = request(wanted("file", path="/etc/net", content=text), generation=generation, confirm_seconds=seconds)
        return run(wish, self.system)[1].status

    def wait(self, seconds: float) -> None:
        """Time passes, and every few seconds the agent looks after its trials."""
        until = self.system.clock.seconds + seconds
        while self.system.clock.seconds < until:
            self.system.clock.seconds = min(until, self.system.clock.seconds + 2)
            self.confirming.tick()

    def restart_agent(self) -> None:
        self.confirming = self._agent()

    def reboot(self) -> None:
        """Monotonic time begins anew; the agent starts some seconds later."""
        self.system.boot += "+1"
        self.system.clock.seconds = 20.0
        self.restart_agent()

    @property
    def app(self) -> AppRecord:
        return self.ledger().apps["web"]

    @property
    def text(self) -> str | None:
        return self.system.text("/etc/net")

    def _agent(self) -> Confirming:
        return Confirming("web-1", lambda: self, self._reach_redis, self.system.clock, structlog.get_logger())

    def _reach_redis(self) -> None:
        self.contacts += 1
        if not self.in_touch:
            self.system.clock.sleep(3)
            raise Unavailable.of("redis-unreachable", "no answer")

    # -- confirming.Host

    @property
    def boot(self) -> str:
        return self.system.boot

    def ledger(self) -> Ledger:
        return read_ledger(self.system, "fleet", "host")

    def confirm(self, app: str, trial: Trial) -> bool:
        return engine.confirm(self.system, "fleet", "host", app, trial)

    def renew(self, app: str, trial: Trial) -> bool:
        return engine.renew(self.system, "fleet", "host", app, trial)

    def undo(self, app: str, trial: Trial) -> Iterator[Event]:
        return engine.undo(self.system, "fleet", "host", app, trial)

    def close(self) -> None:
        pass


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.apply("one", 1)
    assert machine.confirming.confirm("web")
    return machine


def test_a_host_that_is_in_touch_confirms_at_once_and_asks_no_more(machine: Machine) -> None:
    assert machine.apply("two", 2) == "confirming"
    assert machine.confirming.confirm("web")
    asked = machine.contacts
    machine.wait(120)
    assert (machine.app.status, machine.text, machine.contacts) == ("converged", "two", asked)


def test_a_host_that_stays_out_of_touch_takes_the_apply_back_once_its_time_has_passed(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    assert not machine.confirming.confirm("web")
    machine.wait(50)
    assert (machine.app.status, machine.text) == ("confirming", "two")
    machine.wait(15)
    assert (machine.app.status, machine.text) == ("unconfirmed", "one")


def test_contact_in_time_confirms(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    machine.wait(50)
    machine.in_touch = True
    machine.wait(60)
    assert (machine.app.status, machine.text) == ("converged", "two")


def test_at_the_end_of_its_time_contact_is_tried_once_more(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.system.clock.sleep(3600)
    machine.confirming.tick()
    assert (machine.app.status, machine.text) == ("converged", "two"), "the agent slept, but Redis is there"


def test_an_agent_that_is_restarted_keeps_the_time(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    machine.wait(40)
    machine.restart_agent()
    machine.wait(30)
    assert machine.text == "one"


def test_after_a_reboot_there_is_all_of_the_time_again(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    machine.wait(40)
    machine.reboot()
    machine.wait(50)
    assert machine.text == "two"
    machine.wait(20)
    assert (machine.app.status, machine.text) == ("unconfirmed", "one")


def test_after_a_second_reboot_there_is_none(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    for _ in range(2):
        machine.reboot()
        machine.wait(2)
    assert machine.text == "one"


def test_contact_after_a_reboot_confirms(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    machine.reboot()
    machine.wait(10)
    machine.in_touch = True
    machine.wait(2)
    assert (machine.app.status, machine.text) == ("converged", "two")


def test_a_run_that_was_cut_off_is_taken_back_where_there_is_no_contact(machine: Machine) -> None:
    cut_off(machine)
    machine.in_touch = False
    machine.reboot()
    machine.wait(70)
    assert (machine.app.status, machine.text) == ("unconfirmed", "one")


def test_a_run_that_was_cut_off_waits_to_be_done_again_where_there_is_contact(machine: Machine) -> None:
    cut_off(machine)
    machine.wait(600)
    assert machine.app.trial is not None, "half of it cannot be confirmed"
    machine.in_touch = False
    machine.wait(50)
    assert machine.text == "two", "there was contact less than a minute ago"
    machine.wait(20)
    assert machine.text == "one"


def cut_off(machine: Machine) -> None:
    """An apply dies after it wrote the file and before it ended."""
    for number in itertools.count(1):
        if machine.text == "two":
            break
        machine.system.kill_at = machine.system.steps + number
        with pytest.raises(Killed):
            machine.apply("two", 2)
    machine.system.kill_at = 0


def test_a_host_that_is_at_work_is_left_to_end_it(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    machine.system.clock.sleep(100)
    machine.system.busy = True
    with pytest.raises(Unavailable, match="is applying here"):
        machine.confirming.tick()
    machine.system.busy = False
    machine.confirming.tick()
    assert machine.text == "one"


def test_it_says_what_it_did(machine: Machine) -> None:
    machine.apply("two", 2)
    machine.in_touch = False
    with capture_logs() as logs:
        machine.wait(70)
    assert [(entry["event"], entry["host"], entry["app"]) for entry in logs] == [("unconfirmed", "web-1", "web")]
