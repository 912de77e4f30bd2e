"""Jobs as a person runs them: on sandbox hosts, with real processes and a real server."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from reconciler.loops.running.live_run import LiveRun
from reconciler.model.work import RUN, Lane, WorkState
from reconciler.settings import load
from reconciler.store import Store
from reconciler.wiring.session import Access, open_session
from tests.integration.cli.conftest import Ran, Repository, host
from tests.integration.cli.test_watching import _text, watching
from tests.waiting import until

JOB = "apiVersion: reconciler/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n{spec}\n"


def job(fleet: Repository, name: str, *lines: str) -> None:
    fleet.write(f"manifests/jobs/{name}.yaml", JOB.format(name=name, spec="\n".join(f"  {line}" for line in lines)))


def shell(text: str) -> str:
    return f"    - command: {{argv: [sh, -c, {json.dumps(text)}]}}"


def alive(pid: str) -> bool:
    """Whether there is such a process; one that only waits to be reaped is none."""
    try:
        return Path("/proc", pid.strip(), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def run_id(ran: Ran) -> str:
    found = re.search(r"Run (\w{26}) of", ran.err)
    assert found, ran.err + ran.out
    return found[1]


def state(store: Store, work_id: str, name: str = "demo") -> WorkState | None:
    work = store.work.get(name, work_id)
    return work.state if work else None


def test_a_job_runs_with_its_parameters_and_shows_what_it_prints(small: Repository) -> None:
    job(
        small,
        "greet",
        "params:",
        "  name: {required: true}",
        "  times: {type: integer, default: 2}",
        "steps:",
        shell("for i in $(seq {{ times }}); do echo Hello {{ name }} on {{ host.name }}; done"),
    )
    ran = small("run", "greet", "--host", "demo", "-p", "name=Ann", "--yes")
    assert ran.code == 0, ran.err + ran.out
    assert ran.out.startswith("Hello Ann on demo\nHello Ann on demo\n")
    assert ran.last_line == "1 host: 1 succeeded."
    again = small("jobs", "logs", run_id(ran), "-f")
    assert "Hello Ann on demo\nHello Ann on demo\n" in again.out
    assert again.err.endswith("1 host: 1 succeeded.\n")
    assert "\\n" not in again.err
    assert "succeeded" in small("jobs", "list", "--job", "greet").out


def test_all_that_is_wrong_with_parameters_is_told_at_once(small: Repository) -> None:
    job(
        small,
        "greet",
        "params:",
        "  name: {required: true}",
        '  path: {pattern: "/[a-z]+"}',
        "  times: {type: integer}",
        "steps:",
        shell("echo {{ name }}"),
    )
    ran = small("run", "greet", "--host", "demo", "-p", "tims=2", "-p", "path=x", "-p", "times=two", "--yes")
    assert ran.code == 1
    for told in ("name is required", "Did you mean times?", "does not match", "is no integer"):
        assert told in ran.err


@pytest.mark.parametrize("words", [["nope", "--host", "demo"], ["--host", "demo"], ["greet"], ["--command", "x"]])
def test_wrong_usage_is_told_and_nothing_runs(small: Repository, words: list[str]) -> None:
    job(small, "greet", "steps:", shell("touch ran"))
    assert small("run", *words, "--yes").code == 1
    assert not small.on_host("/ran").exists()


@pytest.mark.parametrize("name", ["ls", "gret"])
def test_an_unknown_job_is_told_with_what_could_be_meant(small: Repository, name: str) -> None:
    job(small, "greet", "steps:", shell("true"))
    ran = small("run", name, "--host", "demo", "--yes")
    meant = {"ls": "Jobs: greet. For a command: --command -- WORDS", "gret": "Did you mean greet?"}
    assert ran.err == f"error: there is no job {name}. {meant[name]}\n"


def test_a_parameter_that_has_no_value_is_told_with_how_to_give_it_one(small: Repository) -> None:
    job(small, "greet", "params:", "  name: {type: string}", "steps:", shell("echo {{ name }} {{ nam }}"))
    ran = small("run", "greet", "--host", "demo", "--yes")
    assert ran.code == 1
    assert '"name" is undefined for job/greet on demo. It is a parameter without a value: -p name=VALUE' in ran.err
    assert '"nam" is undefined for job/greet on demo\n' in ran.err


def test_nobody_to_ask_means_nothing_runs(small: Repository) -> None:
    ran = small("run", "--host", "demo", "--command", "touch ran")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert not small.on_host("/ran").exists()


def test_an_ad_hoc_command_is_taken_as_it_stands(small: Repository) -> None:
    ran = small(
        "-C", str(small.root), "run", "--host", "demo", "-y", "--command", "--", "echo", "{{ x }}", "a  b", "$HOME"
    )
    assert ran.out.startswith("{{ x }} a  b $HOME\n"), ran.err
    ran = small("run", "--host", "demo", "-y", "--command", "echo 1; exit 4")
    assert ran.code == 3
    assert "exit code 4" in ran.out


def test_several_hosts_run_at_once_and_each_has_its_line(small: Repository) -> None:
    small.write("manifests/hosts/two.yaml", host("two"))
    ran = small(
        "run", "-l", "role=web", "-y", "--command", "pwd; test -e /nowhere || exit $((1 + $(pwd | grep -c demo)))"
    )
    assert ran.code == 3
    assert re.search(r"^demo \| .*/demo$", ran.out, re.MULTILINE)
    assert re.search(r"^two  +failed  exit code 1", ran.out, re.MULTILINE)
    printed = json.loads(small("run", "-l", "*", "-y", "-o", "json", "--command", "echo hi").out)
    assert [(run["host"], run["state"], run["output"]) for run in printed["runs"]] == [
        ("demo", "succeeded", "hi\n"),
        ("two", "succeeded", "hi\n"),
    ]


def test_resources_and_repeated_commands_are_steps(small: Repository) -> None:
    job(
        small,
        "mixed",
        "steps:",
        "    - directory: {path: /srv/data}",
        shell("echo x >>srv/data/log"),
        shell("echo x >>srv/data/log"),
        "    - file: {path: /srv/data/note, content: hello}",
    )
    assert small("run", "mixed", "--host", "demo", "-y").code == 0
    assert small.on_host("/srv/data/log").read_text() == "x\nx\n"
    assert small.on_host("/srv/data/note").read_text() == "hello"


def test_a_secret_reaches_the_command_and_nobody_else(small: Repository) -> None:
    small.write(".reconciler/secrets/db/password", "correct horse battery\n")
    for path in (".reconciler", ".reconciler/secrets/db/password"):
        (small.root / path).chmod(0o700 if path == ".reconciler" else 0o600)
    job(
        small,
        "dump",
        "steps:",
        '    - command: {argv: [sh, -c, \'echo it is $PW; test "$PW" = "correct horse battery"\'],'
        " env: {PW: {secret: db/password}}}",
    )
    ran = small("run", "dump", "--host", "demo", "-y", "-o", "json")
    assert ran.code == 0, ran.out
    assert "horse" not in ran.out + ran.err + small("jobs", "list", "-o", "json").out


def test_a_program_that_detaches_itself_ends_with_its_run(small: Repository) -> None:
    pid = small.on_host("/pid")
    ran = small(
        "run",
        "--host",
        "demo",
        "-y",
        "--command",
        "setsid sh -c 'echo $$ >pid; sleep 1000' >/dev/null 2>&1 & until test -s pid; do sleep 0.1; done",
    )
    assert ran.code == 0
    assert "processes that it left behind" in small("jobs", "logs", run_id(ran)).out
    (told,) = json.loads(small("jobs", "logs", run_id(ran), "-o", "json").out)["runs"]
    assert (told["host"], told["state"]) == ("demo", "succeeded")
    assert "processes that it left behind" in told["output"]
    assert not alive(pid.read_text().strip())


def run_for_a_second(small: Repository, command: str, *begun: str) -> Ran:
    """Run it until its time is up; again where it could not even write these files by then."""
    rans: list[Ran] = []

    def has_begun() -> bool:
        rans.append(small("run", "--host", "demo", "-y", "--timeout", "1s", "--command", command))
        return all(_text(small, name).endswith("\n") for name in begun)

    until(has_begun, "its begin")
    return rans[-1]


def test_a_command_that_never_ends_is_ended_when_its_time_is_up(small: Repository) -> None:
    ran = run_for_a_second(small, "echo $$ >pid; sleep 1000", "/pid")
    assert ran.code == 3
    assert "its time is up" in ran.out
    assert "signal 15" in ran.out
    assert not alive(small.on_host("/pid").read_text().strip())


STUBBORN = """\
trap '' TERM
stubborn() { sh -c 'trap "" TERM; echo $$ >'$1'; while :; do sleep 0.1; done'; }
stubborn child & setsid sh -c "trap '' TERM; echo \\$\\$ >detached; while :; do sleep 0.1; done" & stubborn parent
"""


def test_what_ignores_that_its_time_is_up_is_killed_with_all_that_it_started(
    small: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("processes", "enclosure"):
        monkeypatch.setattr(f"reconciler.resources.machine.{module}.TERM_GRACE_SECONDS", 0.3)
    ran = run_for_a_second(small, STUBBORN, "/parent", "/child", "/detached")
    assert ran.code == 3
    assert "signal 9" in ran.out
    pids = [small.on_host(f"/{who}").read_text().strip() for who in ("parent", "child", "detached")]
    assert [pid for pid in pids if alive(pid)] == []


def test_of_endless_output_the_end_is_kept(small: Repository, store: Store) -> None:
    ran = small("run", "--host", "demo", "-y", "-o", "json", "--command", "yes 0123456789 | head -c 50000000; echo END")
    printed = json.loads(ran.out)["runs"][0]["output"]
    assert printed.endswith("END\n")
    assert len(printed) <= 65536


def test_a_watch_carries_runs_out_and_cancel_ends_one_that_is_under_way(small: Repository, store: Store) -> None:
    with watching(small):
        until(lambda: "in sync" in small("status").out)
        started = small("run", "--host", "demo", "-y", "--no-wait", "--command", "echo $$ >pid; echo begun; sleep 1000")
        work_id = run_id(started)
        until(lambda: "begun" in store.work.output("demo", work_id).text)
        assert small("jobs", "cancel", work_id).code == 0
        pid = small.on_host("/pid").read_text().strip()
        until(lambda: not alive(pid), "the end of the process")
        assert state(store, work_id) is WorkState.CANCELLED
        assert small("jobs", "cancel", work_id).code == 1


def test_a_run_that_is_cancelled_between_its_claim_and_its_start_is_not_begun(small: Repository, store: Store) -> None:
    work_id = run_id(small("run", "--host", "demo", "-y", "--no-wait", "--command", "touch acted"))
    (claim,) = store.work.claim("demo", holder="ops-1", nonce="n1", lane=Lane.SIDE, kind=RUN)
    store.work.cancel("demo", work_id)
    with open_session(load(small.root, os.environ), Access.WRITE) as session:
        session.reach.show(session.manifests(session.tree()))
        executor = session.run_crew("small", lambda *_: None)._executor
        executor.perform(LiveRun(claim, session.store, session.clock))
    assert not small.on_host("/acted").exists()


def test_what_a_cancelled_run_left_running_is_ended_by_the_next_executor(small: Repository, store: Store) -> None:
    command = "echo $$ >pid.new; mv pid.new pid; sleep 1000"
    with small.beside("run", "--host", "demo", "-y", "--command", command) as asked:
        until(small.on_host("/pid").exists, "the process")
        asked.dies()
    (work,) = store.work.list("demo", {WorkState.RUNNING})
    assert store.work.cancel("demo", work.id)

    def told() -> bool:
        """An executor that is done with its own run may leave this one to the next."""
        store.work._link.send("DEL", f"rc:{{demo}}:inflight:{work.id}")  # its lease runs out
        assert small("run", "--host", "demo", "-y", "--command", "true").code == 0
        return not getattr(store.work.get("demo", work.id), "ending", True)

    until(told, "the word of its end")
    until(lambda: not alive(small.on_host("/pid").read_text()), "the end of the process")
    assert state(store, work.id) is WorkState.CANCELLED


def test_a_long_run_does_not_hold_up_a_converge(small: Repository, store: Store) -> None:
    with watching(small):
        until(lambda: "in sync" in small("status").out)
        work_id = run_id(small("run", "--host", "demo", "-y", "--no-wait", "--command", "sleep 1000"))
        until(lambda: state(store, work_id) is WorkState.RUNNING)
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: small.on_host("/etc/hello").read_text() == "Bye from demo\n", "the hotfix")
        assert state(store, work_id) is WorkState.RUNNING
        small("jobs", "cancel", work_id)


def test_what_is_more_urgent_goes_first(small: Repository) -> None:
    job(small, "note", "lock: host", "params: {word: {}}", "steps:", shell("echo {{ word }} >>words"))
    small("run", "note", "--host", "demo", "-y", "--no-wait", "--priority", "9", "-p", "word=late")
    small("run", "note", "--host", "demo", "-y", "--no-wait", "--priority", "0", "-p", "word=urgent")
    assert small("run", "note", "--host", "demo", "-y", "--priority", "9", "-p", "word=last").code == 0
    assert small.on_host("/words").read_text() == "urgent\nlate\nlast\n"
    assert small("run", "note", "--host", "demo", "-y", "--priority", "10", "-p", "word=x").code == 1


def test_a_named_lock_lets_one_run_at_a_time_over_the_whole_fleet(small: Repository) -> None:
    small.write("manifests/hosts/two.yaml", host("two"))
    flag = small.root / "flag"
    job(small, "alone", "lock: mine", "steps:", shell(f"mkdir {flag} && sleep 0.5 && rmdir {flag}"))
    ran = small("run", "alone", "-l", "*", "-y")
    assert ran.code == 0, ran.out


def test_what_failed_is_run_again_under_its_id(small: Repository) -> None:
    ran = small("run", "--host", "demo", "-y", "--command", "test -e flag && echo there || { echo none; exit 1; }")
    assert ran.code == 3
    small.on_host("/flag").touch()
    again = small("jobs", "retry", run_id(ran))
    assert again.code == 0, again.err + again.out
    assert again.out.startswith("there\n"), "what the first attempt printed is not shown again"
    assert small("jobs", "retry", run_id(ran)).code == 1


def test_the_end_of_an_id_that_the_list_shows_or_its_beginning_is_enough(small: Repository) -> None:
    first = run_id(small("run", "--host", "demo", "-y", "--command", "echo one"))
    second = run_id(small("run", "--host", "demo", "-y", "--command", "echo two"))
    listed = small("jobs", "list").out
    assert (f"{first[-8:]}  demo" in listed, first in listed, first in small("jobs", "list", "-v").out) == (1, 0, 1)
    assert small("jobs", "logs", first[-8:]).out == "one\n"
    assert small("jobs", "logs", second.lower()[:-1]).out == "two\n"
    ambiguous = small("jobs", "logs", first[:4], "--host", "demo")
    assert ambiguous.code == 1
    assert (
        f"2 runs begin or end with {first[:4]}: {first} (command on demo), {second} (command on demo)" in ambiguous.err
    )
    for slip in ("XYZ12", first[-3:], ""):
        assert f"there is no run {slip}. Look: reconcile jobs list" in small("jobs", "cancel", slip).err


def test_a_record_that_one_host_spoilt_keeps_no_other_from_running_again(small: Repository, store: Store) -> None:
    small.write("manifests/hosts/two.yaml", host("two"))
    ran = small("run", "-l", "role=web", "-y", "--command", "echo x >>log; test -e ready")
    small.on_host("/ready", "two").write_text("")
    store.work._link.send("HSET", f"rc:{{demo}}:work:{run_id(ran)}", "args", "{}")
    again = small("jobs", "retry", run_id(ran))
    assert (again.code, "is not signed" in again.err) == (3, True)
    assert small.on_host("/log", "two").read_text() == "x\nx\n"
    assert small.on_host("/log").read_text() == "x\n"


def test_ctrl_c_cancels_a_run_that_is_carried_out_here_and_says_so(small: Repository) -> None:
    with small.beside("run", "--host", "demo", "-y", "--command", "touch begun; sleep 1000") as asked:
        until(small.on_host("/begun").exists)
        asked.sends(signal.SIGINT)
        assert asked.ends() == -signal.SIGINT
        assert "the run is cancelled. Again: reconcile jobs retry" in asked.told()
    assert "interrupted" in small("jobs", "list", "--state", "cancelled").out


def test_ctrl_c_ends_looking_at_a_run_and_tells_how_to_end_the_run(small: Repository) -> None:
    job(small, "slow", "steps:", shell("echo begun; sleep 1000"))
    with watching(small):
        id_ = run_id(small("run", "slow", "--host", "demo", "-y", "--no-wait"))
        until(lambda: "begun" in small("jobs", "logs", id_).out)
        with small.on_terminal("jobs", "logs", id_, "-f") as terminal:
            terminal.shows("begun")
            terminal.interrupts()
            terminal.shows(f"The run goes on. To end it: reconcile jobs cancel {id_}")
            assert terminal.exit_code() == -signal.SIGINT
        assert small("jobs", "cancel", id_).code == 0


def test_retries_come_by_themselves(small: Repository) -> None:
    job(small, "stubborn", "retries: 1", "steps:", shell("test -e flag || { touch flag; exit 1; }"))
    ran = small("run", "stubborn", "--host", "demo", "-y", "-o", "json")
    assert ran.code == 0, ran.out
    assert json.loads(ran.out)["runs"][0]["attempt"] == 2
