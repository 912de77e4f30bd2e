"""An agent keeps its host in its state, with a Redis user that reaches its own slot only."""

from __future__ import annotations

from tests.integration.agent.conftest import Fleet, everywhere
from tests.integration.cli.test_watching import watching
from tests.waiting import until


@everywhere
def test_an_apply_waits_for_agents_and_shows_what_they_did(fleet: Fleet) -> None:
    one, two = fleet.edges.values()
    with one.serving(), two.serving():
        until(lambda: heard(fleet, "edge-1") and heard(fleet, "edge-2"))
        ran = fleet.ops("apply", "--yes")
        assert ran.code == 0, ran.out + ran.err
        assert one.text("/etc/hello") == "Hello from edge-1\n"
        assert two.text("/etc/hello") == "Hello from edge-2\n"
        assert fleet.ops("plan", "--detailed-exitcode").code == 0


@everywhere
def test_a_change_reaches_agents_through_a_watch_and_drift_is_healed(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.serving(), watching(fleet.ops):
        until(lambda: edge.text("/etc/hello") == "Hello from edge-1\n")
        fleet.ops.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: edge.text("/etc/hello") == "Bye from edge-1\n")
        until(lambda: "in sync" in fleet.ops("status", "--host", "edge-1").out)
        edge.file("/etc/hello").write_text("someone was here\n")
        until(lambda: edge.text("/etc/hello") == "Bye from edge-1\n")
    assert "drift" in fleet.ops("history").out


def test_a_host_whose_agent_was_never_heard_from_is_unreachable_and_converges_when_it_comes(fleet: Fleet) -> None:
    one, two = fleet.edges.values()
    with one.serving():
        until(lambda: heard(fleet, "edge-1"))
        ran = fleet.ops("apply", "--yes")
        assert ran.code == 3
        assert "edge-2  unreachable: its agent was never heard from" in ran.out
        assert one.text("/etc/hello") == "Hello from edge-1\n"
    with two.serving():
        until(lambda: two.text("/etc/hello") == "Hello from edge-2\n")


def test_a_secret_reaches_its_host_sealed(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    fleet.ops.replace("manifests/apps/hello.yaml", "greeting: Hello", "greeting: {secret: words/greeting}")
    fleet.ops.write(".reconciler/secrets/words/greeting", "Top secret\n")
    (fleet.ops.root / ".reconciler/secrets/words/greeting").chmod(0o600)
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
        assert edge.text("/etc/hello") == "Top secret from edge-1\n"
        said = fleet.store.desired.read("edge-1")
        assert said is not None
        assert b"Top secret" not in said.sealed
        fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty")
        assert fleet.store.desired.read("edge-1") == said, "what did not change is not sealed again"
        fleet.ops.write(".reconciler/secrets/words/greeting", "Rotated\n")
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
        assert edge.text("/etc/hello") == "Rotated from edge-1\n"


def test_verify_asks_agents_to_look_now(fleet: Fleet) -> None:
    fleet.ops.replace("manifests/apps/hello.yaml", "verifyEvery: 1s", "drift: report\n  verifyEvery: 1h")
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
        assert fleet.ops("verify", "--host", "edge-1", "--detailed-exitcode").code == 0
        edge.file("/etc/hello").write_text("someone was here\n")
        ran = fleet.ops("verify", "--detailed-exitcode")
        assert ran.code == 3, "edge-2 was never heard from"
        assert "someone was here" in ran.out
        assert "its agent was never heard from" in ran.out + ran.err


def heard(fleet: Fleet, host: str) -> bool:
    return fleet.store.observed.ages([host])[host] is not None
