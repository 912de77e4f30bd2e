"""A host writes to its own slot, so whatever it puts there keeps no other host waiting and ends no command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import pytest

from reconciler.loops.agents.agent_looks import ask_agents
from reconciler.model.work import CONVERGE, Work
from reconciler.store import Look
from tests.fakes.clock import FakeClock
from tests.integration.agent.conftest import Fleet
from tests.integration.agent.test_converging import heard
from tests.integration.agent.test_rights import link_of
from tests.integration.cli.test_watching import watching
from tests.waiting import until

SLOT = "rc:{edge-1}:"
KEYS = ("desired", "observed", "facts", "keys", "ledger", "numbers", "queue", "delayed", "events", "ready", "asks")
ALIVE = ("FCALL", "reconciler_facts_write", 1, SLOT, "os", '"debian"')
HIGHEST = str((1 << 63) - 1)
ODD: Mapping[str, Sequence[tuple[str | int, ...]]] = {
    "keys of another type": [("DEL", SLOT + key) for key in KEYS] + [("SET", SLOT + key, "x") for key in KEYS],
    "a term from the future": [ALIVE, ("HSET", SLOT + "numbers", "term", "9007199254740000")],
    "a term that is no number": [ALIVE, ("HSET", SLOT + "numbers", "term", "x")],
    "a generation from the future": [ALIVE, ("HSET", SLOT + "numbers", "generation", HIGHEST)],
    "a sequence at its end": [ALIVE, ("HSET", SLOT + "numbers", "sequence", HIGHEST)],
    "times of no era": [ALIVE, ("HSET", SLOT + "facts", "seen_at", "nan", "unreachable_since", "1e17")],
}


@pytest.mark.parametrize("name", ODD)
def test_an_apply_brings_the_other_hosts_to_their_state(fleet: Fleet, name: str) -> None:
    other = fleet.edges["edge-2"]
    with other.serving():
        until(lambda: heard(fleet, "edge-2"))
        write(fleet, name)
        ran = fleet.ops("apply", "--yes")
        assert ran.code == 3, ran.out + ran.err
        assert other.text("/etc/hello") == "Hello from edge-2\n"
        assert "edge-1" in ran.out
        for words in (["status"], ["history"], ["hosts", "list"], ["jobs", "list"]):
            assert fleet.ops(*words).code == 0, words


@pytest.mark.parametrize("name", ["keys of another type", "a term from the future"])
def test_a_watch_goes_on_with_the_other_hosts(fleet: Fleet, name: str) -> None:
    other = fleet.edges["edge-2"]
    write(fleet, name)
    with other.serving(), watching(fleet.ops):
        until(lambda: other.text("/etc/hello") == "Hello from edge-2\n")
        fleet.ops.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: other.text("/etc/hello") == "Bye from edge-2\n")


def test_a_part_that_cannot_be_kept_on_one_host_is_kept_on_the_others(fleet: Fleet) -> None:
    one, other = fleet.edges.values()
    with one.serving(), other.serving():
        until(lambda: heard(fleet, "edge-1") and heard(fleet, "edge-2"))
        assert fleet.ops("apply", "--yes").code == 0
    fleet.ops.write(
        "manifests/apps/more.yaml",
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: more}\n"
        "spec: {hosts: role=edge, resources: [{file: {path: /etc/more, content: more}}]}\n",
    )
    with one.parts() as parts:
        link_of(parts.store).send("HSET", SLOT + "desired", "app:hello", '{"bundle":"b","values":"{}","digest":"d"}')
    with one.serving(), other.serving():
        ran = fleet.ops("apply", "--yes", "--app", "more", "--allow-dirty")
    assert ran.code == 3
    assert "is not what was signed" in ran.out + ran.err
    assert other.text("/etc/more") == "more"


@pytest.mark.parametrize("answer", [("SET", "x"), ("RPUSH", "x"), ("RPUSH", "[]")])
def test_nonsense_is_an_answer_to_a_look_so_that_nobody_waits_on(fleet: Fleet, answer: tuple[str, str]) -> None:
    with fleet.edges["edge-1"].parts() as parts:
        link_of(parts.store).send(answer[0], SLOT + "answer:1", answer[1])
    assert fleet.store.looks.wait("edge-1", Look("1", None), 0.1) == {}


def test_a_host_that_is_alive_and_never_answers_is_not_waited_for_endlessly(fleet: Fleet) -> None:
    with fleet.edges["edge-1"].parts() as parts:
        link_of(parts.store).send(*ALIVE)
    (outcome,) = ask_agents(fleet.store, Hasty(), ["edge-1"], None)
    assert outcome.unreachable == "its agent did not answer within 300 s"


def test_a_mark_that_names_no_app_keeps_no_other_waiting(fleet: Fleet) -> None:
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        fleet.store.work.enqueue([Work("odd", "edge-1", CONVERGE, {}, priority=0)])
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
    assert fleet.store.work.get("edge-1", "odd") is None
    assert edge.text("/etc/hello") == "Hello from edge-1\n"


@pytest.mark.parametrize("odd", [KeyError("facts"), TypeError("apps is of another type"), StopIteration()])
def test_a_host_that_answers_nonsense_ends_no_look_at_others(fleet: Fleet, odd: Exception) -> None:
    def reach(_: str) -> NoReturn:
        raise odd

    with fleet.edges["edge-1"].parts() as parts:
        executor = replace(parts.executor(lambda _: True), reach=reach)
        (outcome,) = executor.verify_all(["edge-1"])
    assert not outcome.well


class Hasty(FakeClock):
    """Two minutes pass whenever someone looks at the clock."""

    def monotonic(self) -> float:
        self.sleep(120.0)
        return super().monotonic()


def write(fleet: Fleet, name: str) -> None:
    """As the user of edge-1."""
    with fleet.edges["edge-1"].parts() as parts:
        for command in ODD[name]:
            link_of(parts.store).send(*command)
