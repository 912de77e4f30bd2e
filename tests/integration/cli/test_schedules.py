"""Schedules as people meet them: beside a watch that starts runs, on a sandbox host."""

from __future__ import annotations

import json
import re

from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_jobs import job, shell
from tests.integration.cli.test_watching import _text, watching
from tests.waiting import until

SCHEDULE = "apiVersion: reconciler/v1\nkind: Schedule\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
FREEZE = (
    "apiVersion: reconciler/v1\nkind: Freeze\nmetadata: {name: holidays}\n"
    'spec: {from: "2000-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z", reason: nobody is there}\n'
)

FLEET = "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: small}\nspec: {sampleInterval: 1s}\n"
ALERT = """\
apiVersion: reconciler/v1
kind: Alert
metadata: {name: Up}
spec: {hosts: role=web, expr: uptime.seconds > 0, for: 4s, summary: it is up, run: {job: mend}}
"""


def schedule(fleet: Repository, name: str, spec: str) -> None:
    fleet.write(f"manifests/schedules/{name}.yaml", SCHEDULE.format(name=name, spec=spec))


def test_a_schedule_runs_its_job_until_it_is_suspended(small: Repository) -> None:
    job(small, "beat", "params: {word: {default: beat}}", "steps:", shell("echo {{ word }} >>beats"))
    schedule(small, "heart", "every: 1s, hosts: role=web, job: beat, params: {word: thump}")
    small.commit("a heart")
    with watching(small):
        until(lambda: "thump\nthump\n" in _text(small, "/beats"))
        listed = json.loads(small("schedules", "list", "-o", "json").out)["schedules"]
        assert [(row["name"], row["when"], row["hosts"]) for row in listed] == [("heart", "every 1.0s", ["demo"])]
        run = next(each["run"] for each in listed[0]["recent"] if each["outcome"] == "started")
        assert run in small("jobs", "list", "--job", "beat", "-v").out
        assert small("schedules", "suspend", "heart", "--reason", "too loud").code == 0
        until(lambda: re.search(r"skipped on demo: suspended by \S+@ops-1: too loud", small("schedules").out))
        assert small("schedules", "suspend", "heart", "--resume").err.startswith("Resumed heart.")
        beats = _text(small, "/beats").count("thump")
        until(lambda: _text(small, "/beats").count("thump") > beats)
    assert "schedule-suspended: schedule heart" in small("history").out


def test_an_alert_that_fires_starts_its_job_on_its_host(small: Repository) -> None:
    job(small, "mend", "steps:", shell("echo mended >>mended"))
    small.write("manifests/fleet.yaml", FLEET)
    small.write("manifests/alerts/up.yaml", ALERT)
    small.commit("an alert with a remedy")
    with watching(small):
        until(lambda: _text(small, "/mended") == "mended\n")
        until(lambda: "succeeded" in small("schedules").out)
        assert "alert:Up" in small("schedules").out


def test_times_are_shown_by_both_clocks_without_any_server(small: Repository) -> None:
    job(small, "beat", "steps:", shell("true"))
    schedule(small, "nightly", "cron: 30 2 * * *, timezone: Asia/Tokyo, hosts: '*', job: beat, jitter: 5m")
    told = small("schedules", "next", "nightly", "-n", "3").out.splitlines()
    assert len(told) == 4
    assert all(" 02:30:00 JST  " in line and line.endswith(" 17:30:00Z") for line in told[:3])
    assert not (small.root / ".reconciler").exists()
    assert len(json.loads(small("schedules", "next", "nightly", "-o", "json").out)["times"]) == 5


def test_names_that_do_not_exist_and_numbers_that_make_no_sense_are_told(small: Repository) -> None:
    job(small, "beat", "steps:", shell("true"))
    schedule(small, "nightly", "cron: 30 2 * * *, hosts: '*', job: beat")
    assert "Did you mean nightly?" in small("schedules", "next", "nightli").err
    assert small("schedules", "suspend", "other").code == 1
    assert small("schedules", "next", "nightly", "-n", "0").code == 1
    assert "was not suspended" in small("schedules", "suspend", "nightly", "--resume").err


def test_a_freeze_holds_a_change_and_an_override_is_remembered(small: Repository) -> None:
    small("apply", "--yes")
    small.write("manifests/freezes/holidays.yaml", FREEZE)
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    small.commit("a change in the holidays")
    assert "freeze holidays until 2100-01-01 00:00 UTC: nobody is there" in small("plan").out
    small("apply", "--yes", "--app", "hello")
    assert _text(small, "/etc/hello") == "Hello from demo\n"
    assert small("apply", "--yes", "--app", "hello", "--override-freeze").code == 1
    passing = ("--app", "hello", "--immediate", "--override-freeze", "--reason", "CVE-1")
    with watching(small):
        until(lambda: "holds control" in small("apply", "--yes").err)
        assert small("apply", "--yes", *passing).code == 0
        assert _text(small, "/etc/hello") == "Bye from demo\n"
    history = small("history").out
    assert "freeze-overridden" in history
    assert "CVE-1" in history
