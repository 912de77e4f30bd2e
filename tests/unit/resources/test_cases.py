"""Each kind as data: wanted + actual -> difference, and the exact argument lists of the tools (tests/cases)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from reconciler.resources.kinds.archive import ArchiveState
from reconciler.resources.kinds.command import CommandState
from reconciler.resources.kinds.directory import DirectoryState
from reconciler.resources.kinds.file import FileState
from reconciler.resources.kinds.group import GroupState
from reconciler.resources.kinds.line import LineState, edit
from reconciler.resources.kinds.link import LinkState
from reconciler.resources.kinds.mount import MountState
from reconciler.resources.kinds.package import PackageState
from reconciler.resources.kinds.registry import KINDS, parse
from reconciler.resources.kinds.repository import RepositoryState
from reconciler.resources.kinds.resource import NOTHING, Difference
from reconciler.resources.kinds.sysctl import SysctlState
from reconciler.resources.kinds.user import UserState
from reconciler.resources.tools import fstab
from reconciler.resources.tools.crontab import schedule_problem
from reconciler.resources.tools.fstab import Mounted
from reconciler.resources.tools.packages import TOOLS, package_tool
from reconciler.resources.tools.service_tools import ServiceState, service_tool
from tests.fakes.requests import wanted
from tests.fakes.system import FakeHost, FakeService

CASES = Path(__file__).parents[2] / "cases"


def file_state(text: str | None) -> FileState | None:
    return None if text is None else FileState(content=text.encode())


STATES: dict[str, Any] = {
    "archive": ArchiveState,
    "command": CommandState,
    "cron": FileState,
    "directory": DirectoryState,
    "file": FileState,
    "group": GroupState,
    "line": LineState,
    "link": LinkState,
    "mount": lambda boot, live: MountState(Mounted(*boot) if boot else None, Mounted(*live) if live else None),
    "package": PackageState,
    "repository": lambda tool, main=None, key=None: RepositoryState(tool, file_state(main), file_state(key)),
    "service": ServiceState,
    "sysctl": lambda live, file=None: SysctlState(live, file_state(file)),
    "user": UserState,
}


def load(kind: str, name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(CASES / kind / name)
    return cases


def state(kind: str, actual: dict[str, Any]) -> Any:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in actual.items()
    }
    if "content" in values:
        values["content"] = values["content"].encode()
    return STATES[kind](**values)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case, id=f"{kind}: {case['name']}")
        for kind in KINDS
        for case in load(kind, "differences.yaml")
    ],
)
def test_wanted_and_actual_give_the_difference(kind: str, case: dict[str, Any]) -> None:
    resource = parse(wanted(kind, **case["wanted"]), sandbox=False).resource
    actual = None if case["actual"] is None else state(kind, case["actual"])
    expected = case["difference"]
    difference = NOTHING
    if expected:
        difference = Difference(expected["action"], tuple(expected.get("lines", ())), tuple(expected.get("paths", ())))
    assert resource.difference(actual) == difference


@pytest.mark.parametrize("case", load("package", "commands.yaml"), ids=lambda case: str(case["tool"]))
def test_a_package_tool_is_called_with_exactly_these_arguments(case: dict[str, Any]) -> None:
    tool = package_tool(FakeHost(tool=case["tool"]))
    assert list(tool.query(["nginx", "curl"])) == case["query"]
    assert list(tool.install(["nginx", "curl"], "")) == case["install"]
    assert list(tool.install(["nginx"], "1.24")) == case["pinned"]
    assert list(tool.remove(["nginx"])) == case["remove"]
    assert tool.installed(case["printed"]) == case["installed"]


def test_every_package_tool_has_a_case() -> None:
    assert {tool.program for tool in TOOLS} == {case["tool"] for case in load("package", "commands.yaml")}


@pytest.mark.parametrize("case", load("service", "commands.yaml"), ids=lambda case: f"{case['init']} {case['verb']}")
def test_an_init_system_is_called_with_exactly_these_arguments(case: dict[str, Any]) -> None:
    host = FakeHost(init=case["init"])
    host.programs |= set(case.get("programs", ()))
    host.services["nginx"] = FakeService()
    service_tool(host).act(host, case["verb"], "nginx")
    assert [list(argv) for argv in host.ran] == case["commands"]


@pytest.mark.parametrize("case", load("user", "commands.yaml"), ids=lambda case: " ".join(case["commands"][0]))
def test_accounts_are_changed_with_exactly_these_arguments(case: dict[str, Any]) -> None:
    host = FakeHost()
    if "account" in case:
        host.file("/etc/passwd", f"{host.text('/etc/passwd')}{case['account']}\n")
    host.file("/etc/group", f"root:x:0:\nweb:x:8:{'app' if 'member' in case else ''}\n")
    resource = parse(wanted("user", **case["wanted"]), sandbox=False).resource
    resource.apply(host, resource.difference(resource.inspect(host)))
    assert [list(argv) for argv in host.ran] == case["commands"]


def test_sysvinit_reads_state_from_the_script_and_the_links() -> None:
    host = FakeHost(init="sysvinit")
    assert service_tool(host).look(host, "nginx") is None
    host.file("/etc/init.d/nginx", "#!/bin/sh\n", 0o755)
    found = service_tool(host).look(host, "nginx")
    assert found == ServiceState(running=False, enabled=False)
    host.file("/etc/rc3.d/S01nginx", "")
    found = service_tool(host).look(host, "nginx")
    assert found is not None
    assert found.enabled


@pytest.mark.parametrize("case", load("cron", "schedules.yaml"), ids=lambda case: str(case["schedule"]))
def test_cron_takes_a_schedule_or_not(case: dict[str, Any]) -> None:
    assert schedule_problem(case["schedule"]) == case.get("wrong", "")


@pytest.mark.parametrize("case", load("mount", "fstab.yaml"), ids=lambda case: str(case["name"]))
def test_fstab_is_changed_in_one_line_only(case: dict[str, Any]) -> None:
    wanted = Mounted(*case["wanted"]) if case["wanted"] else None
    after = fstab.edited(case["before"], "/srv/my data", wanted)
    assert after == case["after"]
    assert fstab.edited(after, "/srv/my data", wanted) == after
    assert fstab.at_boot(after, "/srv/my data") == wanted


@pytest.mark.parametrize(
    ("text", "match", "present", "edited"),
    [
        ("", "", True, "x=1\n"),
        ("a", "", True, "a\nx=1\n"),
        ("x=0\nb\nx=2\n", "^x=", True, "x=0\nb\nx=1\n"),
        ("x=0", "^x=", True, "x=1"),
        ("a\r\nx=0\r\n", "^x=", True, "a\r\nx=1\r\n"),
        ("x=1\nb\n", "^b", True, "x=1\nb\n"),
        ("x=1\nb\nx=1\n", "", False, "b\n"),
        ("x=0\nb\n", "^x=", False, "b\n"),
    ],
)
def test_a_line_is_put_in_replaced_or_taken_out(text: str, match: str, edited: str, *, present: bool) -> None:
    once = edit(text, "x=1", match, present=present)
    assert once == edited
    assert edit(once, "x=1", match, present=present) == once
