"""What agents are to measure and to alert of: one record in each host's slot, written by the controller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from reconciler.model.host_monitoring import HostMonitoring
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Alert, Severity
from reconciler.model.samples import Measuring
from reconciler.model.selector import EVERYTHING
from reconciler.store.keys import Keys
from reconciler.store.link import Link, compact
from reconciler.store.reading import Reading, json_map, word, word_map

MOST_RULES = 1000
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 3600.0
"""Between two samples, whatever the record says."""

_ORIGIN = Origin("", 0)


class MonitoringRecords:
    """`Store.monitoring`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._keys = keys
        self._reading = reading

    def write(self, hosts: Mapping[str, HostMonitoring]) -> None:
        """Replace what these hosts' agents are told."""
        self._link.send_all([("SET", self._key(host), compact(_form(told))) for host, told in hosts.items()])

    def read(self, host: str) -> HostMonitoring | None:
        """What a host's agent is told; None: nothing yet."""
        found = self._reading.ask("GET", self._key(host))
        return self._reading.record(self._key(host), partial(_told, found)) if found else None

    def _key(self, host: str) -> str:
        return self._keys.host(host) + "monitoring"


def _form(told: HostMonitoring) -> dict[str, Any]:
    measuring = told.measuring
    return {
        "interval": measuring.interval_seconds,
        "raw": measuring.raw_seconds,
        "rollup": measuring.rollup_seconds,
        "metrics": sorted(measuring.metrics) if measuring.metrics is not None else None,
        "labels": dict(told.labels),
        "apps": {app: dict(labels) for app, labels in told.apps.items()},
        "rules": [_rule_form(rule) for rule in told.rules],
    }


def _rule_form(rule: Alert) -> dict[str, Any]:
    form = {
        "name": rule.name,
        "expr": rule.expr,
        "summary": rule.summary,
        "severity": rule.severity.value,
        "app": rule.app,
        "each": rule.each,
        "clear": rule.clear,
        "for": rule.for_seconds,
        "keepFiringFor": rule.keep_firing_seconds,
        "labels": dict(rule.labels),
        "runbookUrl": rule.runbook_url,
    }
    return {name: value for name, value in form.items() if value}


def _told(text: bytes) -> HostMonitoring:
    form = json_map(text)
    metrics = form.get("metrics")
    measuring = Measuring(
        interval_seconds=min(max(float(form["interval"]), SHORTEST_SECONDS), LONGEST_SECONDS),
        raw_seconds=float(form["raw"]),
        rollup_seconds=float(form["rollup"]),
        metrics=None if metrics is None else frozenset(map(word, metrics)),
    )
    apps = {word(app): word_map(labels) for app, labels in form["apps"].items()}
    return HostMonitoring(measuring, word_map(form["labels"]), apps, tuple(map(_rule, form["rules"][:MOST_RULES])))


def _rule(form: Mapping[str, Any]) -> Alert:
    get = form.get
    optional = {
        name: None if get(name) is None else word(form[name]) for name in ("app", "each", "clear", "runbookUrl")
    }
    return Alert(
        metadata=Metadata(word(form["name"]), _ORIGIN),
        expr=word(form["expr"]),
        summary=word(form["summary"]),
        hosts=None if optional["app"] else EVERYTHING,
        app=optional["app"],
        each=optional["each"],
        clear=optional["clear"],
        for_seconds=float(get("for", 0.0)),
        keep_firing_seconds=float(get("keepFiringFor", 0.0)),
        severity=Severity(get("severity", "warning")),
        labels=word_map(get("labels", {})),
        runbook_url=optional["runbookUrl"],
    )
