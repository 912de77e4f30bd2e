"""A second ops server goes on where the first was killed: with schedules, with alerts, with what is committed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.store import FleetState
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_alerts import store_of
from tests.integration.cli.test_jobs import job, shell
from tests.integration.cli.test_watching import _text, watching
from tests.processes import Beside
from tests.waiting import until

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FLEET = """\
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: small}
spec: {sampleInterval: 1s}
---
apiVersion: reconciler/v1
kind: Channel
metadata: {name: ops}
spec: {urls: ["log:"], match: "*", groupWait: 0s, groupInterval: 0s}
---
apiVersion: reconciler/v1
kind: Alert
metadata: {name: Trouble}
spec: {hosts: "*", expr: trouble > 0, summary: trouble}
---
apiVersion: reconciler/v1
kind: Alert
metadata: {name: MoreTrouble}
spec: {hosts: "*", expr: trouble > 1, summary: more trouble}
---
apiVersion: reconciler/v1
kind: Schedule
metadata: {name: heart}
spec: {every: 1s, hosts: "*", job: beat, catchUp: all, concurrency: allow}
"""
METRIC = "  metrics: [{name: trouble, textfile: /trouble, interval: 1s}]\n"


def trouble(fleet: Repository, number: int) -> None:
    fleet.on_host("/trouble").write_text(f"trouble {number}\n")


def messages(fleet: Repository) -> list[str]:
    """The subjects of what people were told."""
    log = fleet.root / ".reconciler/notifications.log"
    return re.findall(r"UTC  (\S+ .*?\w+) on demo", log.read_text()) if log.exists() else []


def runs(fleet: Repository) -> list[dict[str, Any]]:
    """The runs of the schedule, the oldest first."""
    listed = json.loads(fleet("jobs", "list", "--job", "beat", "-o", "json").out)["jobs"]
    return sorted(listed, key=nominal)


def nominal(run: dict[str, Any]) -> int:
    """The second for which a run was due; ids begin with it."""
    return int(sum(DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(run["id"][:10]))) / 1000)


def test_after_the_leader_was_killed_runs_and_alerts_go_on_with_none_twice_and_none_lost(small: Repository) -> None:
    small.write("manifests/fleet.yaml", FLEET)
    small.replace("manifests/apps/hello.yaml", "  config:", METRIC + "  config:")
    job(small, "beat", "steps:", shell("echo beat >>beats"))
    small.commit("a heart and an alert")
    with watching(small) as first:
        until(lambda: small.on_host("/etc/hello").exists(), "the first turn")
        trouble(small, 1)
        with watching(small):
            until(lambda: messages(small), "the first message")
            first.dies()
            known = runs(small)
            cut_off = {run["id"] for run in known if run["state"] != "succeeded"}
            trouble(small, 2)
            small.replace("manifests/apps/hello.yaml", "Hello", "Taken over")
            small.redis("PEXPIRE", "rc:{_}:control", "1")  # as if the lease's 15 seconds were over
            until(lambda: _text(small, "/etc/hello") == "Taken over from demo\n", "the next leader's first turn")
            until(lambda: len(messages(small)) == 2, "its message")
            trouble(small, 0)
            until(lambda: len(messages(small)) == 4, "the end of both")
            until(lambda: len(runs(small)) > len(known) + 2, "its runs")
            small("schedules", "suspend", "heart", "--reason", "enough")
            until(lambda: all(run["state"] == "succeeded" or run["id"] in cut_off for run in runs(small)), "their ends")
    assert messages(small)[:2] == ["FIRING warning: Trouble", "FIRING warning: MoreTrouble"]
    assert sorted(messages(small)[2:]) == ["RESOLVED: MoreTrouble", "RESOLVED: Trouble"]
    found = runs(small)
    assert [nominal(run) - nominal(found[0]) for run in found] == list(range(len(found)))
    ended = [run for run in found if run["state"] == "succeeded"]
    assert len(ended) <= _text(small, "/beats").count("beat") <= len(found)


@pytest.mark.parametrize("seen", ["all", "less"])
def test_who_takes_over_while_git_is_away_goes_on_with_what_was_followed_and_with_nothing_older(
    small: Repository, tmp_path: Path, seen: str
) -> None:
    bare, away = tmp_path / "fleet.git", tmp_path / "away.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    followed = small.git("rev-parse", "HEAD")[:7]
    with watching(small, "--repo", str(bare), "--interval", "1s") as first:
        until(lambda: small.on_host("/etc/hello").exists(), "the first turn")
        with watching(small, "--repo", str(bare), "--interval", "1s") as second:
            said(second, "standby")
            bare.rename(away)
            first.dies()
            if seen == "less":
                with store_of(small) as store:
                    store.fleet.set_current(FleetState("fffffff", "main", "ops-1", at=SystemClock().now()))
            small.redis("PEXPIRE", "rc:{_}:control", "1")
            if seen == "less":
                assert f"the fleet follows fffffff; what was fetched here is {followed}" in said(second, "unavailable")
                away.rename(bare)
            assert followed in said(second, "planned")


def test_a_watch_that_is_started_again_while_git_is_away_goes_on_too(small: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "fleet.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1s"):
        until(lambda: small.on_host("/etc/hello").exists(), "the first turn")
    bare.rename(tmp_path / "away.git")
    with watching(small, "--repo", str(bare), "--interval", "1s") as again:
        assert small.git("rev-parse", "HEAD")[:7] in said(again, "planned")


def said(watch: Beside, event: str) -> str:
    """What a watch says of an event, once it does."""
    return watch.says(f'"event": "{event}"')
