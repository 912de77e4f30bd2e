"""The same work by Reconciler, pyinfra and Ansible on the same hosts: a directory and 20 templated files over SSH.

Every step is a process of its own, as people run it. What it was to do is checked on the hosts each time.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.fleet import Fleet
from tests.e2e.ops import PROJECT, Ops

FILES = 20
STEPS = ("first", "again", "change")
PEERS = PROJECT / "tests/bench/peers"
BIN = PROJECT / ".bench/bin"

TEMPLATE = "# file {number:02} on {{{{ host.name }}}}\n" + "setting = value\n" * 20
FLEET = "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: bench}\nspec: {}\n"
APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: bench}
spec:
  hosts: role=bench
  resources:
    - directory: {path: /etc/bench-reconciler}
"""
FILE = "    - file: {{path: /etc/bench-reconciler/{number:02}.conf, template: bench/{number:02}.conf.j2}}\n"


def furnish(ops: Ops) -> None:
    """Write the app and the templates that everyone renders."""
    ops.write("manifests/fleet.yaml", FLEET)
    ops.write("manifests/apps/bench.yaml", APP + "".join(FILE.format(number=number) for number in range(FILES)))
    for number in range(FILES):
        ops.write(f"templates/bench/{number:02}.conf.j2", TEMPLATE.format(number=number))


def join(ops: Ops, fleet: Fleet) -> None:
    """Declare the hosts, and commit all."""
    for name in fleet.hosts:
        ops.host(fleet, name, "role: bench", "{user: root}")
    ops.commit("a directory and 20 files")


@dataclass(frozen=True)
class Tool:
    """One of those compared: the command of each step, and what it leaves on a host."""

    name: str
    commands: Mapping[str, Sequence[str]]
    directory: Path
    traces: tuple[str, ...]


class SameWork:
    """A fleet that every tool brings to the same state."""

    def __init__(self, ops: Ops, fleet: Fleet) -> None:
        self._ops = ops
        self._fleet = fleet
        self._changes = 0

    def tools(self) -> tuple[Tool, ...]:
        """Reconciler first; its look at every host is `verify`, the others run again."""
        names = {name: host.address for name, host in self._fleet.hosts.items()}
        inventory = "".join(f"{name} ansible_host={address}\n" for name, address in names.items())
        ansible = self._fleet.directory / "ansible"
        shutil.copytree(PEERS / "ansible", ansible, dirs_exist_ok=True)
        variables = {
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": self._fleet.private_key,
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self._fleet.known_hosts}",
            "templates": self._templates,
        }
        lines = "".join(f"{name}={value}\n" for name, value in variables.items())
        (ansible / "inventory.ini").write_text(f"{inventory}\n[all:vars]\n{lines}")
        playbook = [str(BIN / "ansible-playbook"), "playbook.yml"]
        pyinfra = [str(BIN / "pyinfra"), "--yes", "inventory.py", "deploy.py"]
        ours = [str(PROJECT / ".venv/bin/reconcile")]
        apply = [*ours, "apply", "--yes"]
        steps = {"first": apply, "again": [*ours, "verify", "--detailed-exitcode"], "change": apply}
        kept = ("var/lib/reconciler",)
        return (
            Tool("reconciler", steps, self._ops.root, ("etc/bench-reconciler", *kept)),
            Tool("pyinfra", dict.fromkeys(STEPS, pyinfra), PEERS / "pyinfra", ("etc/bench-pyinfra",)),
            Tool("ansible", dict.fromkeys(STEPS, playbook), ansible, ("etc/bench-ansible",)),
        )

    def measure(self, tool: Tool) -> dict[str, tuple[float, float]]:
        """Seconds by the clock and of CPU time on this side, by step, from hosts that know nothing of the tool."""
        self._wipe(tool)
        found = {}
        for step in STEPS:
            if step == "change":
                self._changes += 1
                changed = TEMPLATE.format(number=7) + f"changed = {self._changes}\n"
                self._ops.write("templates/bench/07.conf.j2", changed)
            found[step] = self._run(tool, step)
            self._check(tool)
        return found

    def _run(self, tool: Tool, step: str) -> tuple[float, float]:
        pairs = ",".join(f"{name}={host.address}" for name, host in self._fleet.hosts.items())
        environment = {**self._ops.environment, "BENCH_HOSTS": pairs, "BENCH_TEMPLATES": str(self._templates)}
        log = self._fleet.directory / f"{tool.name}.log"
        started = time.perf_counter()
        with log.open("w") as out:
            process = subprocess.Popen(
                tool.commands[step],
                cwd=tool.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, log.read_text()
        return seconds, usage.ru_utime + usage.ru_stime

    def _check(self, tool: Tool) -> None:
        for name, host in self._fleet.hosts.items():
            for number in range(FILES):
                template = (self._templates / f"{number:02}.conf.j2").read_text()
                found = (host.files / f"etc/bench-{tool.name}/{number:02}.conf").read_text()
                assert found == template.replace("{{ host.name }}", name), (tool.name, name, number)

    def _wipe(self, tool: Tool) -> None:
        for host in self._fleet.hosts.values():
            for trace in tool.traces:
                shutil.rmtree(host.files / trace, ignore_errors=True)
        if tool.name == "reconciler":
            self._ops.forget()

    @property
    def _templates(self) -> Path:
        return self._ops.root / "templates/bench"


def measure(ops: Ops, fleet: Fleet, names: Sequence[str], rounds: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Tool -> step -> the median of its seconds by the clock and of its CPU seconds, the tools in turn."""
    work = SameWork(ops, fleet)
    tools = [tool for tool in work.tools() if tool.name in names]
    found = [{tool.name: work.measure(tool) for tool in tools} for _ in range(rounds)]
    return {
        tool.name: {
            step: (
                statistics.median(each[tool.name][step][0] for each in found),
                statistics.median(each[tool.name][step][1] for each in found),
            )
            for step in STEPS
        }
        for tool in tools
    }
