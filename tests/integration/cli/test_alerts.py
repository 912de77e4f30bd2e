"""Alerts on the command line: what fires, who looks after it, what is kept quiet, and rules that are tried out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.model.alerts import ActiveAlert, AlertId, AlertState
from reconciler.model.monitoring import Severity
from reconciler.store import Store
from reconciler.store.opening import embedded
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_watching import watching
from tests.waiting import until

RULE = """\
apiVersion: reconciler/v1
kind: Alert
metadata: {name: CpuBusy}
spec: {hosts: "*", expr: cpu.percent > 90, for: 2m, summary: it is busy}
"""
TESTS = "tests: [{name: busy, series: {cpu.percent: 95x5}, expect: [{at: AT, firing: [CpuBusy]}]}]\n"


@contextmanager
def store_of(repository: Repository) -> Iterator[Store]:
    """What a host writes to."""
    runtime = Path(repository.environment["RECONCILER_RUNTIME_DIR"])
    with Store(embedded(repository.root / ".reconciler/store", runtime, SystemClock())) as store:
        yield store


def alert(name: str, state: AlertState = AlertState.FIRING, **fields: object) -> ActiveAlert:
    now = SystemClock().now()
    labels = {"alert": name, "host": "demo", "severity": "warning"}
    made = ActiveAlert(AlertId(name, "demo"), state, now, now, 95.0, labels=labels, summary=f"{name} on demo")
    return replace(made, **fields)  # type: ignore[arg-type] # fields by name


def fires(repository: Repository, *alerts: ActiveAlert) -> None:
    repository("apply", "--yes")
    with store_of(repository) as store:
        store.alerts.write("demo", {it.id: it for it in alerts})


def test_without_any_there_are_no_alerts_and_no_silences(small: Repository) -> None:
    assert small("alerts").out == "No alerts.\n"
    assert small("silence").out == "No silences.\n"


def test_alerts_are_listed_with_what_fires_first_and_why_nobody_is_told(small: Repository) -> None:
    fires(
        small,
        alert("Calm", AlertState.RESOLVED),
        alert("Soon", AlertState.PENDING),
        alert("CpuBusy"),
        alert("DiskFull", severity=Severity.CRITICAL),
    )
    assert small("silence", "add", "alert=CpuBusy", "--for", "2h", "--reason", "a batch").code == 0
    lines = small("alerts", "list").out.splitlines()
    listed = [re.findall(r"^(\w+) .* (\w+@demo)", line) for line in lines[1:4]]
    assert listed == [[("firing", "DiskFull@demo")], [("firing", "CpuBusy@demo")], [("pending", "Soon@demo")]]
    assert "CpuBusy on demo (silenced by by-hand-" in lines[2]
    assert lines[-1] == "2 alerts fire, 1 of them told to nobody."
    assert "Calm@demo" in small("alerts", "list", "--all").out
    assert "DiskFull" not in small("alerts", "list", "-l", "alert=CpuBusy").out
    assert "DiskFull" in small("alerts", "list", "--host", "demo").out
    assert "Did you mean demo?" in small("alerts", "list", "--host", "demos").err


def test_the_list_as_json(small: Repository) -> None:
    fires(small, alert("CpuBusy"))
    (found,) = json.loads(small("alerts", "list", "-o", "json").out)["alerts"]
    assert (found["id"], found["state"], found["value"], found["muted"]) == ("CpuBusy@demo", "firing", 95.0, "")


def test_an_acknowledged_alert_says_who_looks_after_it(small: Repository) -> None:
    fires(small, alert("CpuBusy"), alert("DiskFull"))
    acknowledged = small("alerts", "ack", "CpuBusy@demo", "--reason", "on it")
    assert acknowledged.err == "Acknowledged CpuBusy@demo.\n"
    assert "@ops-1: on it)" in small("alerts").out
    assert small("alerts", "ack", "-l", "host=demo").err == "Acknowledged CpuBusy@demo, DiskFull@demo.\n"
    assert "acknowledged" in small("history").out


def test_what_does_not_fire_cannot_be_acknowledged(small: Repository) -> None:
    fires(small, alert("CpuBusy"))
    wrong = small("alerts", "ack", "CpuBuzy@demo")
    assert (wrong.code, wrong.err) == (1, "error: CpuBuzy@demo does not fire. Did you mean CpuBusy@demo?\n")
    assert small("alerts", "ack", "-l", "host=other").code == 1
    assert small("alerts", "ack").code == 1


def test_silences_by_hand_are_listed_and_ended_and_those_of_the_manifests_are_not(small: Repository) -> None:
    small.write(
        "manifests/silences.yaml",
        "apiVersion: reconciler/v1\nkind: Silence\nmetadata: {name: backup}\n"
        'spec: {match: "*", times: [{times: ["02:00-02:01"]}], reason: backup}\n',
    )
    added = small("silence", "add", "host=demo", "--for", "2h", "--reason", "disk swap")
    name = added.out.partition(":")[0]
    listed = small("silence", "list").out
    assert "backup" in listed
    assert f"{name}  active" in listed
    assert json.loads(small("silence", "list", "-o", "json").out)["silences"][1]["by"].endswith("@ops-1")
    refused = small("silence", "expire", "backup", "nothing")
    assert "backup stands in manifests/silences.yaml. Change it there" in refused.err
    assert small("silence", "expire", name).code == 0
    assert name not in small("silence").out
    assert small("silence", "add", "host=demo", "--for", "long", "--reason", "x").code == 1


def test_a_silence_of_an_alert_or_a_severity_that_there_is_not_is_refused(small: Repository) -> None:
    small.write("manifests/alerts.yaml", RULE)
    for match, said in {
        "alert=CpuBuzy": 'there is no alert "CpuBuzy". Did you mean CpuBusy?',
        "name=Xyzzy": 'there is no alert "Xyzzy". Known: CpuBusy, DeletesHeld, HostStale, RedisMemoryShort,',
        "severity=critcal": 'there is no severity "critcal". Did you mean critical?',
        "severity=critical,host!=dem": 'there is no host "dem". Did you mean demo?',
        "!rol": 'alerts have no label "rol". Did you mean role?',
    }.items():
        refused = small("silence", "add", match, "--for", "2h", "--reason", "x")
        assert (refused.code, said in refused.err) == (1, True), refused.err
    assert small("silence", "list").out == "No silences.\n"


def test_a_silence_of_what_may_come_later_is_set_and_says_that_nothing_has_it_yet(small: Repository) -> None:
    ahead = small("silence", "add", "host=demo-2", "--for", "2h", "--reason", "it is being built")
    name = ahead.out.partition(":")[0]
    told = "warning: nothing has host=demo-2 now; should it come, it will be quiet. Did you mean demo?"
    assert (ahead.code, ahead.err) == (0, f"{told} Take it back: reconcile silence expire {name}\n")
    assert "nothing has the label hots now" in small("silence", "add", "hots=demo", "--for", "2h", "--reason", "x").err
    assert small("silence", "add", "role=web,app=hello", "--for", "2h", "--reason", "x").err == ""


def test_rules_are_tried_on_series_of_a_file(small: Repository, tmp_path: Path) -> None:
    small.write("manifests/alerts.yaml", RULE)
    file = tmp_path / "alerts.test.yaml"
    file.write_text(TESTS.replace("AT", "3m"))
    held = small("alerts", "test", str(file))
    assert (held.code, held.last_line) == (0, "1 test, 0 failed.")
    assert "2m  CpuBusy  pending -> firing" in held.out
    file.write_text(TESTS.replace("AT", "1m"))
    failed = small("alerts", "test", str(file))
    assert failed.code == 1
    assert "FAIL busy\n" in failed.out
    assert "at 1m, firing (- expected, + seen)\n       - CpuBusy\n" in failed.out
    assert json.loads(small("alerts", "test", str(file), "-o", "json").out)["tests"][0]["wrong"]
    assert small("alerts", "test", "nowhere.yaml").code == 1


def test_the_metrics_that_rules_can_speak_of_are_listed(small: Repository) -> None:
    assert "filesystem.percent" in small("alerts", "metrics").out
    assert json.loads(small("alerts", "metrics", "-o", "json").out)["metrics"]


def test_an_apply_holds_back_the_alerts_that_name_its_app_and_a_look_does_not(small: Repository) -> None:
    small("apply", "--yes")
    with store_of(small) as store:
        assert store.alerts.held("demo") == {"hello"}
    small.redis("DEL", "rc:{demo}:applying")
    small("verify")
    with store_of(small) as store:
        assert store.alerts.held("demo") == frozenset()


def test_a_watch_tells_of_alerts_and_the_next_one_goes_on_where_it_was(small: Repository) -> None:
    small.write(
        "manifests/channels.yaml",
        "apiVersion: reconciler/v1\nkind: Channel\nmetadata: {name: ops}\n"
        "spec: {urls: ['log:'], match: '*', groupWait: 0s, groupInterval: 0s}\n",
    )
    log = small.root / ".reconciler/notifications.log"
    fires(small, alert("CpuBusy"))
    with watching(small):
        until(lambda: log.exists() and log.read_text(), "the notification")
    first = log.read_text()
    assert "CpuBusy on demo" in first
    fires(small, alert("CpuBusy", AlertState.RESOLVED))
    with watching(small):
        until(lambda: log.read_text() != first, "its end")
    second = log.read_text().removeprefix(first)
    assert (first.count("UTC  FIRING"), second.count("UTC  RESOLVED"), second.count("FIRING")) == (1, 1, 0)


def test_a_repository_that_is_out_of_reach_for_too_long_is_an_alert_and_its_last_revision_stays(
    small: Repository, tmp_path: Path
) -> None:
    small.replace("manifests/fleet.yaml", "spec: {}", "spec: {staleSource: 1s}")
    small.commit("an impatient fleet")
    bare, away = tmp_path / "fleet.git", tmp_path / "away.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1s"):
        until(lambda: "in sync  healthy" in small("status").out)
        bare.rename(away)
        small.on_host("/etc/hello").unlink()
        until(lambda: "SourceStale" in small("alerts").out, "the alert")
        assert "its last revision stays in force" in small("alerts").out
        small("verify")
        assert small("apply", "--yes").code == 0
        assert small.on_host("/etc/hello").exists()
        away.rename(bare)
        until(lambda: small("alerts").out == "No alerts.\n", "its end")
