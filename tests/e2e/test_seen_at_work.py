"""What a person sees while hosts are at work: progress on a terminal, the log of a run, a status that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: greeting}
spec:
  hosts: "*"
  resources:
    - command: {argv: [sh, -c, "until test -e /run/go; do sleep 0.1; done"]}
      name: patience
    - file: {path: /etc/greeting, content: "Hello\\n"}
"""
NAMES = ("quick", "slow")


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with booted(*NAMES) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Ops:
    made = Ops(fleet.directory / "ops", fleet)
    made.write("manifests/fleet.yaml", FLEET)
    made.write("manifests/app.yaml", APP)
    for name in NAMES:
        made.host(fleet, name, "")
    made.commit("two hosts")
    return made


def test_a_terminal_shows_which_host_is_at_what_and_a_second_one_follows_the_status(fleet: Fleet, ops: Ops) -> None:
    with ops.on_terminal("status", "--watch") as status:
        status.shows("2 with unknown sync.")
        fleet.look("quick").check_output("touch /run/go")
        with ops.on_terminal("apply", "--yes") as apply:
            apply.shows("1 of 2 hosts done")
            apply.shows("s: patience")
            assert "slow  ok=" not in apply.screen()
            fleet.look("slow").check_output("touch /run/go")
            apply.shows("2 hosts: 2 changed")
            assert apply.exit_code() == 0
        status.shows("on 2 hosts: 2 in sync.")
        status.interrupts()
        assert status.exit_code() == 0


def test_the_log_of_a_run_is_followed_while_it_is_written(fleet: Fleet, ops: Ops) -> None:
    script = "echo begun at $((40 + 2)); until test -e /run/end; do sleep 0.1; done; echo over at $((41 + 2))"
    with ops.watching():
        begun = ops("run", "--host", "quick", "--yes", "--no-wait", "--command", script)
        found = re.search(r"\b01[0-9A-Z]{24}\b", begun.out)
        assert found, begun.out
        with ops.running("jobs", "logs", found[0], "-f") as following:
            assert following.stdout
            assert any("begun at 42" in line for line in following.stdout)
            assert following.poll() is None
            fleet.look("quick").check_output("touch /run/end")
            rest, _ = following.communicate()
    assert following.returncode == 0, rest
    assert "over at 43" in rest
