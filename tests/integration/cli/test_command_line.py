"""What the flags of the command line promise, beyond single commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.cli import command_line
from reconciler.clock import SystemClock
from reconciler.store.connect import connect
from tests.integration.cli.conftest import Repository, host
from tests.integration.cli.test_watching import watching
from tests.integration.store.servers import valkey
from tests.processes import RECONCILE
from tests.waiting import until

SCOPE = ("--host=demo", "--app=hello", "-l=role=web", "--selector=role=web", "--exclude=other")
EVERYWHERE = ("-v", "-q", "--no-color")
OUTPUT = ("-o=text", "-o=json")
MEANT = {
    "apply": (
        *(*SCOPE, *OUTPUT, "-y", "--yes", "--reason=x", "--facts=f", "--plan-id=1", "--allow-deletes=1"),
        *("--allow-dirty", "--take-over", "--timeout=5", "--dry-run"),
    ),
    "plan": (*SCOPE, *OUTPUT, "-o=markdown", "-o=github", "--against=HEAD", "--facts=f", "--detailed-exitcode"),
    "status": (*SCOPE, *OUTPUT),
    "verify": (*SCOPE, *OUTPUT, "--detailed-exitcode"),
    "hosts.list": (*SCOPE, *OUTPUT),
    "hosts.facts": (*SCOPE, *OUTPUT),
    "history": ("--host=demo", "--app=hello", *OUTPUT),
    "pause": ("--host=demo", "--app=hello", "--reason=x"),
    "resume": ("--host=demo", "--app=hello"),
    "validate": (*OUTPUT, "-o=github"),
    "doctor": OUTPUT,
}
"""Command -> the flags that mean something there."""


@pytest.mark.parametrize(
    ("command", "flag"), [(name, flag) for name, flags in MEANT.items() for flag in (*flags, *EVERYWHERE, "-C=.")]
)
def test_a_flag_is_taken_wherever_it_means_something(command: str, flag: str) -> None:
    reason = [] if command != "pause" or flag.startswith("--reason") else ["--reason=x"]
    command_line.parser_of(command).parse_args([*reason, *flag.replace("=", " ", 1).split(" ", 1)])


def test_facts_of_hosts_make_a_plan_known_that_asks_no_server(small: Repository, tmp_path: Path) -> None:
    small.replace("templates/hello.j2", "{{ greeting }}", "{{ greeting }} on {{ facts.cores }} cores")
    small("--yes")
    small.commit("cores")
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    unknown = small("plan", "--against", "HEAD")
    assert "? file:/etc/hello" in unknown.out

    facts = json.loads(small("hosts", "facts", "-o", "json").out)
    facts["hosts"]["demo"]["cores"] = 48
    (tmp_path / "facts.json").write_text(json.dumps(facts))
    shutil.rmtree(small.root / ".reconciler")
    known = small("plan", "--against", "HEAD", "--facts", str(tmp_path / "facts.json"))
    assert "+Bye on 48 cores from demo" in known.out
    assert not (small.root / ".reconciler").exists()


def test_facts_that_cannot_be_read_are_told_with_how_to_make_them(small: Repository, tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text("[")
    ran = small("plan", "--against", "HEAD", "--facts", str(tmp_path / "facts.json"))
    assert ran.code == 1
    assert "reconcile hosts facts -o json > facts.json" in ran.err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--app", "nope"], "there is no app nope. Look: reconcile status"),
        (["--app", "helo"], "there is no app helo. Did you mean hello?"),
        (["--host", "nowhere"], "there is no host nowhere. Look: reconcile hosts list"),
    ],
)
def test_a_name_that_does_not_exist_is_told_with_where_to_look(small: Repository, flags: list[str], told: str) -> None:
    ran = small("plan", *flags)
    assert (ran.code, told in ran.err) == (1, True), ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_cannot_be_written_ends_the_command(small: Repository) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*RECONCILE, "plan"],
            cwd=small.root,
            env={**os.environ, **small.environment},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (1, "error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize(
    ("words", "environment", "coloured"), [([], {}, True), (["--no-color"], {}, False), ([], {"NO_COLOR": "1"}, False)]
)
def test_colour_is_for_terminals_that_want_it(
    small: Repository, words: list[str], environment: dict[str, str], *, coloured: bool
) -> None:
    coloring = Repository(small.root, {**small.environment, "NO_COLOR": "", **environment}, small.capture)
    with coloring.on_terminal("--dry-run", *words) as terminal:
        assert terminal.exit_code() == 0
        assert "Plan: " in terminal.screen()
        assert ("\x1b[" in terminal.screen()) is coloured
    assert "\x1b[" not in small("--dry-run").out


def test_what_is_in_no_commit_goes_to_a_shared_redis_only_when_allowed(
    small: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with valkey(tmp_path / "server") as url:
        monkeypatch.setenv("RECONCILER_REDIS_URL", url)
        assert small("--yes").code == 0
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        refused = small("--yes")
        assert refused.code == 1
        assert "--allow-dirty" in refused.err
        assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"
        assert small("--dry-run").code == 0
        assert small("--yes", "--allow-dirty").code == 0
        assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"


def test_the_progress_of_a_watch_that_was_asked_is_shown(small: Repository) -> None:
    small.write("manifests/hosts/second.yaml", host("second"))

    def told() -> str:
        """What an apply shows while the watch puts two hosts right; less where the watch saw to them before."""
        for name in ("demo", "second"):
            small.on_host("/etc/hello", name).unlink(missing_ok=True)
        small("verify")
        ran = small("apply", "--yes")
        assert ran.code == 0
        return ran.err.partition("asked it to reconcile now")[2]

    with watching(small):
        until(lambda: small("status").out.count("in sync  healthy") == 2)
        expected = {"demo: hello converged", "second: hello converged"}
        until(lambda: expected <= set(told().splitlines()), "its progress")


def test_a_digest_that_failed_is_not_tried_again_though_redis_has_forgotten_it(small: Repository) -> None:
    assert small("--yes").code == 0
    small.replace(
        "manifests/apps/hello.yaml", "  config:", '  health: [{command: {argv: ["false"]}, within: 0s}]\n  config:'
    )
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    assert small("--yes").code == 3
    shutil.rmtree(small.root / ".reconciler/store")
    ran = small("--yes")
    assert ran.code == 3
    assert "it failed here before" in ran.out
    assert small.on_host("/etc/hello").read_text() == "Hello from demo\n"
    small.replace("manifests/apps/hello.yaml", '["false"]', '["true"]')
    assert small("--yes").code == 0


@pytest.mark.parametrize(("answer", "code", "there"), [("no", 1, False), ("yes", 0, True)])
def test_on_a_terminal_a_person_is_asked_and_only_yes_counts(
    small: Repository, answer: str, code: int, *, there: bool
) -> None:
    with small.on_terminal() as terminal:
        terminal.shows("Only 'yes' is accepted")
        terminal.types(answer)
        assert terminal.exit_code() == code
    assert small.on_host("/etc/hello").exists() is there


def test_a_dry_run_needs_no_more_than_to_read_redis(
    small: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with valkey(tmp_path / "server") as url:
        monkeypatch.setenv("RECONCILER_REDIS_URL", url)
        assert small("--yes").code == 0
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        link = connect(url, SystemClock())
        rights = ["~rc:*", "+@read", "+info", "+ping", "+client"]
        link.send("ACL", "SETUSER", "reader", "on", ">secret", *rights)
        link.close()
        monkeypatch.setenv("RECONCILER_REDIS_URL", url.replace("://", "://reader:secret@"))
        plan = small("--dry-run")
        assert plan.code == 0, plan.err
        assert "+Bye from demo" in plan.out
        refused = small("--yes", "--allow-dirty")
        assert refused.code == 1
        assert "this user may not do that" in refused.err


def test_a_failed_resource_ends_its_app_there_and_other_apps_and_hosts_go_on(small: Repository) -> None:
    small.write("manifests/hosts/second.yaml", host("second"))
    small.write(
        "manifests/apps/broken.yaml",
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: broken}\nspec:\n  hosts: name=demo\n  resources:\n"
        "    - command: {argv: ['false']}\n    - file: {path: /etc/after, content: x}\n",
    )
    ran = small("--yes")
    assert ran.code == 3
    assert [line.split()[0] for line in ran.out.splitlines() if " ok=" in line] == ["demo", "second"]
    assert not small.on_host("/etc/after").exists()
    for name in ("demo", "second"):
        assert small.on_host("/etc/hello", name).read_text() == f"Hello from {name}\n"
