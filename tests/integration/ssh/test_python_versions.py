"""The library on hosts with any Python from 3.9 to 3.13: really run there, over SSH, where this machine has them."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler.resources.kinds.registry import KINDS
from reconciler.resources.protocol import Finished, HealthEvent, ResourceEvent
from reconciler.transport.ssh import Connections
from tests.fakes.requests import request, wanted
from tests.integration.ssh.conftest import Sshd, route
from tests.integration.ssh.test_trust import with_path
from tests.pythons import VERSIONS, interpreter


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, sshd: Sshd, tmp_path: Path) -> str:
    """A server whose `python3` is of this version."""
    version = str(request.param)
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here: uv python install {version}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(python)
    told = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout
    assert told.startswith(f"Python {version}.")
    sshd.restart(with_path(f"{tmp_path}/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
    return version


def test_apps_are_applied_changed_failed_and_pruned_on_it(
    version: str, sshd: Sshd, connections: Connections, tmp_path: Path
) -> None:
    root = tmp_path / "host"
    root.mkdir()
    with tarfile.open(tmp_path / "host/app.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("version"), io.BytesIO())
    host = connections.open(route(sshd), "fleet", str(root))
    first = request(
        wanted("file", path="/etc/file", content="one\n", validate=["test", "-s", "%s"]),
        wanted("directory", path="/srv/directory", mode="0750"),
        wanted("link", path="/srv/link", target="directory"),
        wanted("line", path="/etc/hosts", line="10.0.0.1 db", match="db$"),
        wanted("command", argv=["true"], timeout=60),
        wanted("archive", source="/app.tar", path="/srv/app"),
        health=({"command": {"argv": ["true"]}},),
    )
    events = list(host.apply(first))
    assert [event.action for event in events if isinstance(event, ResourceEvent)] == [*["add"] * 4, "change", "add"]
    assert [event.ok for event in events if isinstance(event, HealthEvent)] == [True]
    assert status(events) == "converged"
    assert status(list(host.inspect(first))) == "in-sync"

    broken = request(wanted("file", path="/etc/file", content="two\n"), wanted("command", argv=["false"]), generation=2)
    assert status(list(host.apply(broken))) == "rolled-back"
    assert (root / "etc/file").read_text() == "one\n"

    assert status(list(host.apply(request(generation=3, remove=True)))) == "converged"
    assert not (root / "etc/file").exists()
    assert not (root / "srv/app").exists()


def test_every_kind_is_looked_at_on_it(version: str, sshd: Sshd, connections: Connections) -> None:
    wishes = (
        wanted("file", path="/nowhere/file", content="x"),
        wanted("directory", path="/nowhere/directory"),
        wanted("link", path="/nowhere/link", target="x"),
        wanted("package", name="no-such-package"),
        wanted("service", name="no-such-service"),
        wanted("user", name="nobody-here", authorizedKeys=["ssh-ed25519 A"]),
        wanted("group", name="nobody-here"),
        wanted("command", argv=["true"], creates="/nowhere/made"),
        wanted("archive", source="/nowhere/app.tar", path="/nowhere/app"),
        wanted("sysctl", key="kernel.hostname", value="x"),
        wanted("line", path="/nowhere/line", line="x"),
        wanted("cron", name="nowhere", schedule="@daily", command="true"),
        wanted("repository", name="nowhere", uri="https://example.org", suites=["x"], components=["y"], key="/k"),
        wanted("mount", path="/nowhere/mount", device="tmpfs", fstype="tmpfs"),
    )
    assert {wish.kind for wish in wishes} == set(KINDS)
    host = connections.open(route(sshd), "fleet")
    seen = [event for event in host.inspect(request(*wishes)) if isinstance(event, ResourceEvent)]
    assert [event.id for event in seen] == [wish.id for wish in wishes]


def status(events: Sequence[object]) -> str:
    """How a request ended."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.status
