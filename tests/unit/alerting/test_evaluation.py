"""The life of alerts along timelines of samples."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.alerting.evaluation import RULE_CHANGED, RULE_REMOVED, Subject
from reconciler.model.alerts import AlertId, AlertState, Transition
from reconciler.model.monitoring import AlertScope, Severity
from reconciler.model.selector import Selector
from tests.unit.alerting.rules import START, Timeline, rule

BUSY = {"cpu_percent": 95.0}
CALM = {"cpu_percent": 10.0}
HOUR = 3600.0


def moves(transitions: list[Transition]) -> list[str]:
    return [f"{it.before.value} -> {it.alert.state.value}" for it in transitions]


def test_a_rule_without_for_fires_with_the_first_sample_and_resolves_with_the_first_that_is_well() -> None:
    host = Timeline([rule()])
    assert host.sample(**BUSY) == "CpuBusy firing"
    assert host.sample(**CALM) == "CpuBusy resolved"
    assert moves(host.transitions) == ["inactive -> firing", "firing -> resolved"]


def test_it_fires_when_it_was_true_for_as_long_as_the_rule_asks() -> None:
    host = Timeline([rule(for_seconds=60)])
    assert host.sample(**BUSY) == "CpuBusy pending"
    assert host.samples(55, **BUSY) == "CpuBusy pending"
    assert host.sample(**BUSY) == "CpuBusy firing"
    assert host.only.started_at == START + timedelta(seconds=65)


def test_one_sample_that_is_well_while_it_is_pending_begins_anew() -> None:
    host = Timeline([rule(for_seconds=60)])
    host.samples(55, **BUSY)
    assert host.sample(**CALM) == ""
    assert host.samples(60, **BUSY) == "CpuBusy pending"


def test_samples_that_cannot_tell_freeze_an_alert() -> None:
    host = Timeline([rule(for_seconds=60)])
    host.samples(300, **BUSY)
    assert host.samples(600) == "CpuBusy firing"
    assert host.only.stale
    assert host.sample(**BUSY) == "CpuBusy firing"
    assert not host.only.stale


def test_a_gap_between_samples_does_not_count_towards_for() -> None:
    host = Timeline([rule(for_seconds=60)])
    host.samples(30, **BUSY)
    host.samples(600)
    assert host.sample(**BUSY) == "CpuBusy pending"
    assert host.samples(30, **BUSY) == "CpuBusy pending"
    assert host.sample(**BUSY) == "CpuBusy firing"


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 10 * 24 * HOUR])
def test_a_collector_that_was_stopped_or_a_clock_that_jumped_makes_nothing_fire(jump: float) -> None:
    host = Timeline([rule(for_seconds=60)])
    host.samples(30, **BUSY)
    assert host.sample(after=jump, **BUSY) == "CpuBusy pending"
    assert host.samples(30, **BUSY) == "CpuBusy pending"
    assert host.sample(**BUSY) == "CpuBusy firing"


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_nor_does_it_resolve_anything(jump: float) -> None:
    host = Timeline([rule(keep_firing_seconds=60)])
    host.sample(**BUSY)
    assert host.sample(**CALM) == "CpuBusy recovering"
    assert host.sample(after=jump, **CALM) == "CpuBusy recovering"
    assert host.samples(60, **CALM) == "CpuBusy resolved"


def test_keep_firing_for_takes_a_relapse_back_without_a_new_beginning() -> None:
    host = Timeline([rule(keep_firing_seconds=60)])
    host.sample(**BUSY)
    began = host.only.started_at
    host.samples(30, **CALM)
    assert host.sample(**BUSY) == "CpuBusy firing"
    assert host.only.started_at == began


def test_with_a_clear_of_its_own_it_goes_on_firing_between_the_two() -> None:
    host = Timeline([rule(clear="cpu.percent < 70")])
    host.sample(**BUSY)
    assert host.samples(60, cpu_percent=80) == "CpuBusy firing"
    assert host.sample(cpu_percent=60) == "CpuBusy resolved"
    assert host.sample(cpu_percent=80) == "CpuBusy resolved"


def test_each_filesystem_has_an_alert_of_its_own_and_one_that_is_gone_resolves() -> None:
    host = Timeline([rule("Full", "filesystem.percent > 90", each="filesystem")])
    assert host.sample(filesystem_percent=95) == "Full:/ firing, Full:/var firing"
    assert host.active[AlertId("Full", "web-1", "/var")].labels["filesystem"] == "/var"
    host.instances = ("/",)
    assert host.sample(filesystem_percent=95) == "Full:/ firing, Full:/var resolved"
    assert host.transitions[-1].alert.reason == "/var is gone"


def test_a_removed_rule_resolves_its_alert_and_says_so() -> None:
    host = Timeline([rule()])
    host.sample(**BUSY)
    host.rules = []
    assert host.sample(**BUSY) == "CpuBusy resolved"
    assert host.only.reason == RULE_REMOVED


def test_a_rule_that_is_no_longer_about_the_host_resolves_its_alert() -> None:
    host = Timeline([rule(hosts=Selector.parse("role=web"))])
    host.sample(**BUSY)
    host.host = Subject("web-1", {"role": "db"})
    assert host.sample(**BUSY) == "CpuBusy resolved"
    assert host.only.reason == "the rule is no longer about this host"


def test_an_edited_expression_resolves_the_old_alert_and_begins_a_new_one() -> None:
    host = Timeline([rule()])
    host.sample(**BUSY)
    host.rules = [rule(expr="cpu.percent > 50", for_seconds=60)]
    assert host.sample(**BUSY) == "CpuBusy pending"
    assert host.only.reason == RULE_CHANGED
    assert moves(host.transitions)[1:] == ["firing -> resolved", "resolved -> pending"]


def test_an_edited_severity_or_summary_shows_at_once_and_ends_nothing() -> None:
    host = Timeline([rule()])
    host.sample(**BUSY)
    host.rules = [rule(severity=Severity.CRITICAL, summary="very busy")]
    assert host.sample(**BUSY) == "CpuBusy firing"
    assert (host.only.severity, host.only.summary) == (Severity.CRITICAL, "very busy")
    assert host.only.labels["severity"] == "critical"
    assert len(host.transitions) == 1


def test_a_resolved_alert_is_kept_for_a_while_and_then_forgotten() -> None:
    host = Timeline([rule()])
    host.sample(**BUSY)
    assert host.samples(600, **CALM) == "CpuBusy resolved"
    assert host.samples(600, **CALM) == ""


def test_an_alert_that_names_an_app_stands_still_while_the_app_is_applied() -> None:
    host = Timeline([rule("WebDown", hosts=None, app="webapp"), rule()])
    host.held = ("webapp",)
    assert host.sample(**BUSY) == "CpuBusy firing"
    host.held = ()
    assert host.sample(**BUSY) == "CpuBusy firing, WebDown firing"
    host.held = ("webapp",)
    assert host.sample(**CALM) == "CpuBusy resolved, WebDown firing"


def test_health_of_each_app_names_that_app() -> None:
    host = Timeline([rule("Unhealthy", "health.ok == 0", each="app")], instances=("webapp", "base"), held=["webapp"])
    assert host.sample(health_ok=0) == "Unhealthy:base firing"


def test_an_alert_has_the_labels_of_its_host_its_app_and_its_rule() -> None:
    host = Timeline([rule(hosts=None, app="webapp", labels={"role": "own", "page": "yes"})])
    host.sample(**BUSY)
    assert host.only.labels == {
        "role": "own", "team": "web", "page": "yes", "app": "webapp", "host": "web-1", "alert": "CpuBusy",
        "severity": "warning",
    }  # fmt: skip


def test_the_summary_is_rendered_with_value_host_and_labels() -> None:
    host = Timeline([rule(summary="{{ host.name }} ({{ labels.role }}) is at {{ value | round | int }} %")])
    host.sample(**BUSY)
    assert host.only.summary == "web-1 (web) is at 95 %"


@pytest.mark.parametrize("summary", ["{{ nonsense }}", "{{ value / 0 }}", "{{ labels.zone }}"])
def test_a_summary_that_cannot_be_rendered_becomes_a_plain_text_that_says_so(summary: str) -> None:
    host = Timeline([rule(summary=summary)])
    host.sample(**BUSY)
    assert host.only.summary.startswith("CpuBusy on web-1 (95); its summary cannot be rendered: ")


def test_a_rule_that_cannot_be_compiled_freezes_its_alert_and_disturbs_no_other() -> None:
    host = Timeline([rule(), rule("Other")])
    host.sample(**BUSY)
    host.rules = [replace(rule(), expr="cpu.nonsense >"), rule("Other")]
    host.sample(**BUSY)
    assert host.active[AlertId("Other", "web-1")].state is AlertState.FIRING


def test_rules_over_the_fleet_are_not_evaluated_for_a_host_nor_the_others_for_the_fleet() -> None:
    rules = [rule("Many", "max(cpu.percent) > 1", scope=AlertScope.FLEET), rule()]
    assert Timeline(rules).sample(**BUSY) == "CpuBusy firing"
    assert Timeline(rules, host=Subject()).sample(**BUSY) == ""


def test_every_transition_has_a_higher_number() -> None:
    host = Timeline([rule(keep_firing_seconds=10)])
    for values in (BUSY, CALM, BUSY, CALM, CALM, CALM, BUSY):
        host.sample(**values)
    numbers = [it.alert.sequence for it in host.transitions]
    assert numbers == list(range(1, len(numbers) + 1))
