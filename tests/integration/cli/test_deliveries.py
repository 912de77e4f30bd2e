"""Runs of jobs that are put into Redis by hand, come twice or too late, or lose their executor."""

from __future__ import annotations

import json
import os

import pytest

from reconciler.model.run import Run
from reconciler.model.work import RUN, Lane, Work, WorkState
from reconciler.settings import load
from reconciler.source.keys import load_key
from reconciler.store import Store, open_store
from reconciler.trust import Signer
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_jobs import alive, job, run_id, shell, state
from tests.waiting import until


def test_a_run_that_nobody_signed_is_refused_and_told(small: Repository, store: Store) -> None:
    ran = small("run", "--host", "demo", "-y", "--command", "echo x")
    genuine = store.work.get("demo", run_id(ran))
    assert genuine is not None
    body = genuine.args["run"]
    forged = [
        {"job": "x"},
        {**genuine.args, "run": body.replace("echo x", "touch evil")},
        {**genuine.args, "signature": "00" * 64},
    ]
    for number, args in enumerate(forged):
        store.work.enqueue([Work(f"forged-{number}", "demo", RUN, args, lane=Lane.SIDE)])
    stranger = _signed(Signer(b"x" * 32), genuine, "forged-3")
    store.work.enqueue([stranger])
    small("run", "--host", "demo", "-y", "--command", "true")
    until(lambda: all(state(store, f"forged-{number}") is WorkState.FAILED for number in range(4)))
    assert not small.on_host("/evil").exists()
    assert small("history").out.count("refused") >= 4


def test_a_run_is_not_done_twice_whatever_is_put_into_redis(small: Repository, store: Store) -> None:
    ran = small("run", "--host", "demo", "-y", "--command", "echo x >>log")
    genuine = store.work.get("demo", run_id(ran))
    assert genuine is not None
    store.work.enqueue([Work("another-id", "demo", RUN, genuine.args, lane=Lane.SIDE)])
    with open_store(load(small.root, os.environ)) as again:
        again.work._link.send("DEL", f"rc:{{demo}}:work:{genuine.id}")
        again.work.enqueue([Work(genuine.id, "demo", RUN, genuine.args, lane=Lane.SIDE)])
    small("run", "--host", "demo", "-y", "--command", "true")
    until(lambda: state(store, "another-id") is WorkState.FAILED and state(store, genuine.id) is WorkState.SUCCEEDED)
    assert small.on_host("/log").read_text() == "x\n"
    assert "not-repeated" in small("history").out


def test_a_run_that_is_too_late_is_not_begun(small: Repository, store: Store) -> None:
    ran = small("run", "--host", "demo", "-y", "--command", "echo x")
    genuine = store.work.get("demo", run_id(ran))
    assert genuine is not None
    seed = load_key(small.root / ".reconciler")
    assert seed is not None
    store.work.enqueue([_signed(Signer(seed), genuine, "late", not_after=1)])
    small("run", "--host", "demo", "-y", "--command", "true")
    until(lambda: state(store, "late") is WorkState.FAILED)
    late = store.work.get("demo", "late")
    assert late is not None
    assert late.result["code"] == "run-expired"


@pytest.mark.parametrize("created_at", ["1", "4000000000"])
def test_what_is_asked_again_outlives_the_words_that_it_voids(small: Repository, store: Store, created_at: str) -> None:
    ran = small("run", "--host", "demo", "-y", "--expires", "20d", "--command", "false")
    store.work._link.send("HSET", f"rc:{{demo}}:work:{run_id(ran)}", "created_at", created_at)
    before = not_after(store, run_id(ran))
    small("jobs", "retry", run_id(ran))
    assert before <= not_after(store, run_id(ran)) < before + 31 * 86_400_000


def not_after(store: Store, run: str) -> int:
    work = store.work.get("demo", run)
    assert work is not None
    return int(json.loads(work.args["run"])["notAfter"])


@pytest.mark.parametrize(("on_lost", "lines"), [("fail", 1), ("retry", 2)])
def test_a_run_whose_executor_is_killed_goes_by_onlost(
    small: Repository, store: Store, on_lost: str, lines: int
) -> None:
    job(small, "long", f"onLost: {on_lost}", "steps:", shell("echo $$ >>log; test $(wc -l <log) = 2 || sleep 1000"))
    log = small.on_host("/log")
    with small.beside("run", "long", "--host", "demo", "--yes") as process:
        until(lambda: log.exists() and log.read_text().endswith("\n"))
        process.dies()
    (work,) = store.work.list("demo", {WorkState.RUNNING})
    store.work._link.send("DEL", f"rc:{{demo}}:inflight:{work.id}")  # what 30 s do
    small("run", "--host", "demo", "-y", "--command", "true")
    until(lambda: state(store, work.id) in {WorkState.FAILED, WorkState.SUCCEEDED} or _again(small))
    assert len(log.read_text().splitlines()) == lines
    assert not alive(log.read_text().splitlines()[0]), "what it left running"


def _again(small: Repository) -> bool:
    small("run", "--host", "demo", "-y", "--command", "true")
    return False


def _signed(signer: Signer, like: Work, work_id: str, not_after: int = 1 << 50) -> Work:
    said = json.loads(like.args["run"])
    run = Run(said["fleet"], "demo", work_id, "command", said["bundle"], said["values"], not_after, "x", signer.key_id)
    return Work(work_id, "demo", RUN, signer.sign_run(run).to_args("command"), lane=Lane.SIDE)
