"""Agents measure their hosts and judge the rules that the watch tells them, with the rights of their own slot."""

from __future__ import annotations

import json

from reconciler.model.alerts import AlertId, AlertState
from tests.integration.agent.conftest import Fleet, everywhere
from tests.integration.cli.test_watching import watching
from tests.waiting import until

RULE = """\
apiVersion: reconciler/v1
kind: Alert
metadata: {name: HasMemory}
spec: {hosts: name=edge-1, expr: mem.total_bytes > 0 and answer == 42, summary: "{{ host.name }} has memory"}
"""


@everywhere
def test_an_agent_samples_its_host_and_alerts_by_the_rules_of_the_manifests(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    fleet.ops.replace("manifests/fleet.yaml", "spec: {}", "spec: {sampleInterval: 1s}")
    fleet.ops.write("manifests/alerts/memory.yaml", RULE)
    fleet.ops.replace(
        "manifests/apps/hello.yaml",
        "  resources:",
        '  metrics: [{name: answer, command: [echo, "42"], interval: 1s}]\n  resources:',
    )
    with edge.serving(), watching(fleet.ops):
        until(lambda: fleet.store.metrics.latest(["edge-1"]), "a sample")

        def firing() -> bool:
            alert = fleet.store.alerts.read(["edge-1"]).get(AlertId("HasMemory", "edge-1"))
            return alert is not None and alert.state is AlertState.FIRING

        until(firing, "the alert")
        printed = json.loads(fleet.ops("hosts", "metrics", "edge-1", "-o", "json").out)
    values = printed["hosts"]["edge-1"]["values"]
    assert values["answer"] == 42
    assert abs(values["clock.offset_seconds"]) < 5
    assert "HasMemory" in fleet.ops("alerts", "list").out
