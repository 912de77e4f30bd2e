"""What is wrong with alerts, channels, silences, freezes and schedules is told before anything is measured."""

import zoneinfo
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from tests.unit.manifests.trees import app, fleet, load, marked, problems

JOB = "apiVersion: reconciler/v1\nkind: Job\nmetadata: {name: backup}\nspec: {steps: [{command: {argv: [a]}}]}\n"


def of_kind(kind: str, spec: str, name: str = "X") -> str:
    """A document whose spec stands in line 4."""
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


def alert(spec: str = 'hosts: "*", expr: cpu.percent > 90', name: str = "X") -> str:
    return of_kind("Alert", f"{spec}, summary: x", name)


WRONG = [
    ("Alert", 'hosts: "*", summary: x, expr: §cpu.percnt > 90', "cannot use 'cpu.percnt > 90': there is no metric"),
    ("Alert", 'hosts: "*", summary: x, expr: §"cpu.percent > \'90\'"', "cannot use \"cpu.percent > '90'\": "),
    ("Alert", 'hosts: "*", summary: x, expr: §filesystem.percent > 90', "cannot use 'filesystem.percent > 90': "),
    (
        "Alert",
        'hosts: "*", summary: x, expr: cpu.percent > 90, clear: §cpu < 1',
        "cannot use 'cpu < 1': cpu is several",
    ),
    ("Alert", 'hosts: "*", summary: x, expr: queue > 90, each: §filesytem', 'there is no "filesytem" to go through'),
    (
        "Alert",
        'hosts: "*", summary: x, scope: fleet, expr: §cpu.percent > 90',
        "cannot use 'cpu.percent > 90': over the",
    ),
    ("Alert", 'hosts: "*", summary: §"{{ value", expr: cpu.percent > 90', "unexpected end"),
    ("Alert", 'hosts: "*", summary: x, expr: cpu.percent > 90, inhibits: [§Y]', 'there is no alert "Y"'),
    ("Alert", 'hosts: "*", summary: x, expr: cpu.percent > 90, run: {job: §x}', 'there is no job "x"'),
    ("Alert", "app: §x, summary: x, expr: cpu.percent > 90", 'there is no app "x"'),
    ("Alert", 'hosts: "*", app: webapp, summary: x, expr: cpu.percent > 90', "an alert takes hosts or app"),
    ("Alert", 'hosts: "*", summary: x, expr: §queue_depth > 1', 'there is no metric "queue_depth"'),
    ("Channel", "urls: §[], match: '*'", "urls is empty"),
    ("Channel", "urls: [mailto://x], match: §'role in web'", "cannot read selector"),
    ("Channel", "urls: [mailto://x], match: '*', rate: §20", "rate 20 is no rate"),
    ("Channel", "urls: [mailto://x], match: '*', activeTimes: [{times: [§8-17]}]", '"8-17" is no span of a day'),
    ("Channel", "urls: [mailto://x], match: '*', activeTimes: [{timezone: §Mars}]", 'there is no time zone "Mars"'),
    ("Channel", "urls: [mailto://x], match: §severity=critcal", 'there is no severity "critcal"'),
    (
        "Silence",
        "match: §alert=CpuBuzy, from: 2026-01-01T00:00:00Z, until: 2026-01-02T00:00:00Z, reason: x",
        'there is no alert "CpuBuzy"',
    ),
    ("Silence", "match: '*', reason: x", "it needs from and until, or times"),
    ("Freeze", "reason: x, from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z", "until is not after from"),
    ("Freeze", "reason: x, times: [{weekdays: [§someday]}]", '"someday" is no day of the week'),
    ("Schedule", 'hosts: "*", job: backup', "a schedule takes one of cron, every, at and trigger"),
    ("Schedule", 'hosts: "*", job: §bakcup, every: 1h', 'there is no job "bakcup"'),
    ("Schedule", 'hosts: "*", job: backup, trigger: {alert: §Gone}', 'there is no alert "Gone"'),
    ("Schedule", 'hosts: "*", job: backup, trigger: {}', "a trigger takes alert or expr"),
]


@pytest.mark.parametrize(("kind", "spec", "message"), WRONG)
def test_a_mistake_is_told_at_its_place(kind: str, spec: str, message: str) -> None:
    text, place = marked(of_kind(kind, spec)) if "§" in spec else (of_kind(kind, spec), "")
    files = fleet(x=text, job=JOB, a=app("  hosts: role=web\n  resources: []\n"))
    assert any(it.startswith(f"manifests/x.yaml:{place or 4}") and message in it for it in problems(files)), problems(
        files
    )


def test_what_is_right_is_loaded() -> None:
    files = fleet(
        a=alert('hosts: role=web, expr: "avg(cpu.percent, window=5m) > 90", for: 10m, inhibits: [B]', "A"),
        b=alert('hosts: "*", each: filesystem, expr: "predict(filesystem.free_bytes, window=6h, ahead=1d) < 0"', "B"),
        c=of_kind("Schedule", 'hosts: "*", job: backup, trigger: {alert: HostStale}'),
        job=JOB,
    )
    manifests = load(files)
    assert manifests.alerts["A"].for_seconds == 600
    assert manifests.alerts["B"].each == "filesystem"


def test_alerts_that_inhibit_each_other_would_tell_nobody() -> None:
    busy = 'hosts: "*", expr: cpu.percent > 90'
    files = fleet(a=alert(f"{busy}, inhibits: [B]", "A"), b=alert(f"{busy}, inhibits: [A]", "B"))
    (told,) = problems(files)
    assert told.startswith("manifests/a.yaml:4:")
    assert "alerts inhibit each other: A -> B -> A. Remove one of them" in told


def test_the_name_of_the_alert_that_is_built_in_is_taken() -> None:
    assert problems(fleet(a=alert(name="HostStale"))) == [
        "manifests/a.yaml:3:18: the alert HostStale is built in. Take another name"
    ]


@pytest.fixture
def time_zones_of_this_machine(tmp_path: Path) -> Iterator[Path]:
    """Where the machine keeps its time zones: none yet."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path)])
    yield tmp_path
    zoneinfo.reset_tzpath(before)


def daily(timezone: str) -> dict[str, str]:
    return {
        "schedule": of_kind("Schedule", f'hosts: "*", job: backup, cron: "0 3 * * *", timezone: {timezone}'),
        "job": JOB,
    }


def test_a_time_zone_that_only_this_machine_knows_is_none(time_zones_of_this_machine: Path) -> None:
    (time_zones_of_this_machine / "localtime").write_bytes(
        resources.files("tzdata").joinpath("zoneinfo/UTC").read_bytes()
    )

    (told,) = problems(fleet(**daily("localtime")))
    assert told.endswith('there is no time zone "localtime". Write it like UTC or Europe/Berlin')


def test_a_time_zone_is_found_also_where_the_machine_has_none(time_zones_of_this_machine: Path) -> None:
    assert not list(time_zones_of_this_machine.iterdir())

    (schedule,) = load(fleet(**daily("US/Eastern"))).schedules.values()
    assert zoneinfo.ZoneInfo(schedule.timezone).key == "US/Eastern"
