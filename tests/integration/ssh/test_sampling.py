"""A host over SSH is sampled by the library that runs there, over the connection that is kept anyway."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from reconciler.transport.ssh import Connections
from tests.integration.ssh.conftest import Sshd, route
from tests.waiting import until


def test_samples_come_over_one_connection_and_the_second_knows_rates(sshd: Sshd, connections: Connections) -> None:
    first = connections.sample(route(sshd), "/", [])
    second = connections.sample(route(sshd), "/", [])
    assert first["values"]["mem.total_bytes"] > 0
    assert "network.received_bytes_per_second" not in first["values"]
    assert "network.received_bytes_per_second" in second["values"]
    assert second["at"] >= first["at"]
    assert len(sshd.sessions()) == 1


def test_sampling_and_work_share_a_connection(sshd: Sshd, connections: Connections, tmp_path: Path) -> None:
    connections.sample(route(sshd), str(tmp_path), [])
    with closing(connections.open(route(sshd), "fleet", str(tmp_path))) as transport:
        assert transport.ledger().apps == {}
    connections.sample(route(sshd), str(tmp_path), [])
    assert len(sshd.sessions()) == 1


def test_metrics_and_health_of_apps_are_looked_at_on_the_host(sshd: Sshd, connections: Connections) -> None:
    apps = [
        {
            "app": "web",
            "services": [],
            "health": [{"command": {"argv": ["true"]}}],
            "metrics": [
                {"name": "answer", "command": ["echo", "42"], "interval": 30.0},
                {"name": "nothing", "textfile": "/nowhere", "interval": 30.0},
            ],
        }
    ]

    def told() -> bool:
        reply = connections.sample(route(sshd), "/", apps)
        found = {name: reply["values"].get(name) for name in ("answer", "health.ok[web]")}
        return found == {"answer": 42.0, "health.ok[web]": 1.0} and "there is no file /nowhere" in str(reply["notes"])

    until(told, "the checks")
