"""The ledger on disk: atomic, journalled, and not missed too much when it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.resources.applying import engine
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.records.book import Book, journal_path, ledger_path, read_ledger
from reconciler.resources.records.ledger import AppRecord, Ledger, Owned, ledger_from_json, ledger_to_json
from tests.fakes.requests import request, run, wanted
from tests.fakes.system import FakeHost, FakeService


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def book(host: FakeHost, name: str = "host") -> Book:
    return Book(host, "fleet", name)


def test_what_was_recorded_is_there_after_a_kill_and_what_was_put_is_not(host: FakeHost) -> None:
    first = book(host)
    first.record((("apps", "web", "status"), "recorded"))
    first.put((("apps", "web", "error"), "only put"))
    assert host.text(ledger_path(host)) is None
    assert read_ledger(host, "fleet", "host").apps["web"].status == "recorded"
    again = book(host)
    assert (again.app("web").status, again.app("web").error) == ("recorded", "")
    assert host.text(journal_path(host)) is None, "and the journal has become part of the file"


def test_a_torn_last_line_of_the_journal_is_as_if_it_had_not_been_begun(host: FakeHost) -> None:
    book(host).record((("apps", "web", "status"), "whole"))
    host.append(journal_path(host), b'{"epoch":0,"scope":["fleets","fl')
    assert book(host).app("web").status == "whole"


def test_a_journal_of_an_earlier_epoch_is_void(host: FakeHost) -> None:
    first = book(host)
    first.record((("apps", "web", "status"), "old"))
    left = host.text(journal_path(host)) or ""
    first.put((("apps", "web", "status"), "new"))
    first.save()
    host.file(journal_path(host), left)
    assert read_ledger(host, "fleet", "host").apps["web"].status == "new"
    assert book(host).app("web").status == "new"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version":1,"epoch":0,"fleets":{"f":{"h":{"apps":3}}}}']
)
def test_a_damaged_ledger_is_moved_aside_told_and_the_host_adopted_again(host: FakeHost, text: str) -> None:
    host.services["web"] = FakeService(running=True, enabled=True)
    site = wanted("file", path="/etc/site", content="one", called="site")
    wish = request(site, wanted("service", name="web", restartOn=["site"]))
    run(wish, host)
    renewals = list(host.services["web"].renewals)
    host.file(ledger_path(host), text)
    assert read_ledger(host, "fleet", "host").damaged == ledger_path(host)
    _, done = run(wish, host)
    assert (done.status, done.changed) == ("converged", 0)
    assert "ledger was damaged and moved to /var/lib/reconciler/ledger.json.damaged-1" in done.hint
    assert host.text("/var/lib/reconciler/ledger.json.damaged-1") == text
    assert host.services["web"].renewals == renewals


def test_a_ledger_of_a_newer_version_is_left_alone(host: FakeHost) -> None:
    host.file(ledger_path(host), '{"version": 99}')
    _, done = run(request(), host)
    assert (done.status, done.code) == ("failed", "ledger-too-new")
    assert host.text(ledger_path(host)) == '{"version": 99}'


def test_nothing_is_written_when_nothing_changed(host: FakeHost) -> None:
    first = book(host)
    first.put((("apps", "web", "status"), "x"))
    first.save()
    steps = host.steps
    again = book(host)
    again.put((("apps", "web", "status"), "x"), (("apps", "gone"), None))
    again.save()
    assert host.steps == steps


def test_hosts_of_one_machine_are_kept_apart(host: FakeHost) -> None:
    one, two = request(wanted("file", path="/etc/a", content="a")), request(wanted("file", path="/etc/b", content="b"))
    run(one, host)
    list(engine.apply(request(*two.resources, host="second"), host))
    assert set(read_ledger(host, "fleet", "host").apps["web"].owned) == {"file:/etc/a"}
    assert set(read_ledger(host, "fleet", "second").apps["web"].owned) == {"file:/etc/b"}


def test_pauses_and_what_the_executor_asked_to_keep_come_back(host: FakeHost) -> None:
    run(request(recovery={"bundle": "abc", "values": "{}"}, term=3, token=4), host)
    engine.pause(host, "fleet", "host", "web", "under repair")
    ledger = read_ledger(host, "fleet", "host")
    assert (ledger.paused, ledger.term, ledger.token) == ({"web": "under repair"}, 3, 4)
    assert ledger.apps["web"].recovery == {"bundle": "abc", "values": "{}"}
    engine.pause(host, "fleet", "host", "web", "")
    assert read_ledger(host, "fleet", "host").paused == {}


def test_rejected_digests_can_be_forgiven(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="a"), health=({"tcp": {"port": 1}, "within": "0s"},)), host)
    assert read_ledger(host, "fleet", "host").apps["web"].rejected
    engine.forgive(host, "fleet", "host", "web")
    assert read_ledger(host, "fleet", "host").apps["web"].rejected == ()


def test_a_ledger_survives_json() -> None:
    owned = Owned("f", "file", "/etc/a", serial=3, adopted=True, backup="b")
    ledger = Ledger(5, 9, 1, 2, {"*": "why"}, {"web": AppRecord(5, "d", "converged", owned={"file:/etc/a": owned})})
    document: Any = json.loads(json.dumps(ledger_to_json(ledger)))
    assert ledger_from_json(document) == ledger


DEEP = "[" * 100_000
LINE = '{"epoch":0,"scope":["fleets","fleet","host"],"puts":[[["apps","web","status"],"recorded"]]}\n'


@pytest.mark.parametrize(
    "text",
    [
        "5",
        DEEP,
        "9" * 5000,
        '{"version":1e999}',
        '{"version":1,"epoch":0,"fleets":{"f":[1]}}',
        '{"version":1,"epoch":"0","fleets":{}}',
        '{"version":1,"epoch":0,"fleets":{"fleet":{"host":{"generation":"x"}}}}',
        '{"version":1,"epoch":0,"fleets":{"fleet":{"host":{"apps":{"web":{"owned":{"file:/a":{"serial":[]}}}}}}}}',
        '{"version":1,"epoch":0,"fleets":{"fleet":{"host":{"apps":{"web":{"rejected":"abc"}}}}}}',
    ],
)
def test_a_ledger_of_another_shape_counts_as_damaged(host: FakeHost, text: str) -> None:
    host.file(ledger_path(host), text)
    assert read_ledger(host, "fleet", "host").damaged == ledger_path(host)
    assert book(host).moved_aside == f"{ledger_path(host)}.damaged-1"


@pytest.mark.parametrize(
    "line",
    [
        "[1]",
        '{"epoch":0}',
        '{"epoch":0,"scope":["fleets","f","h"],"puts":5}',
        '{"epoch":0,"scope":[],"puts":[[["fleets"],5]]}',
        '{"epoch":0,"scope":["fleets","f","h"],"puts":[[[[]],5]]}',
        DEEP,
    ],
)
def test_a_journal_of_another_shape_counts_as_damaged_and_is_kept_beside(host: FakeHost, line: str) -> None:
    host.file(journal_path(host), LINE + line + "\n")
    assert read_ledger(host, "fleet", "host").damaged == ledger_path(host)
    assert book(host).moved_aside == f"{journal_path(host)}.damaged-1"
    assert host.text(f"{journal_path(host)}.damaged-1") == LINE + line + "\n"
    assert book(host).moved_aside == ""


def test_a_ledger_larger_than_any_that_we_write_is_not_read_whole(tmp_path: Path) -> None:
    system = PosixSystem(str(tmp_path), clock=SystemClock())
    state = tmp_path / "var/lib/reconciler"
    state.mkdir(parents=True)
    with (state / "ledger.json").open("wb") as sparse:
        sparse.truncate(50 << 30)
    assert read_ledger(system, "fleet", "host").damaged == ledger_path(system)
