"""What is allowed and may surprise."""

from __future__ import annotations

from reconciler.manifests import Loader
from reconciler.manifests.notes import notes
from tests.unit.manifests.trees import app, fleet, host

COMMANDS = """\
  hosts: role=web
  resources:
  - command: {argv: [touch, /etc/x]}
  - command: {argv: [nft, flush]}
    when: not host.sandbox
  - block:
      resources: [{command: {argv: [reboot]}}]
    when: host.labels.role == 'web' and not host.sandbox
  - block:
      resources: [{command: {argv: [sync]}}]
"""


def told(sandbox: str) -> list[str]:
    tree = fleet(a=app(COMMANDS), box=host("box-1", "role: web", sandbox))
    loader = Loader()
    found = notes(loader.load(tree), lambda origin, path: loader.locate(tree, origin, path))
    return [f"{problem.place}: {problem.message}" for problem in found]


def test_commands_that_a_sandbox_would_run_on_the_machine_are_told() -> None:
    first, second = told("  sandboxRoot: .reconciler/sandbox/box\n  connection: {type: local}\n")
    assert first.startswith("manifests/a.yaml:7:")
    assert "sandbox host box-1 runs this on the machine itself" in first
    assert second.startswith("manifests/a.yaml:14:")


def test_on_other_hosts_a_command_is_no_surprise() -> None:
    assert told("") == []
