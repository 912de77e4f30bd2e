"""The unit and the environment that an agent starts with."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.enrolment.layout import ENVIRONMENT, SERVICE, environment, environment_text, read_environment, unit

_OWN_NAMESPACE = {
    "BindPaths", "BindReadOnlyPaths", "DynamicUser", "InaccessiblePaths", "MountAPIVFS", "PrivateDevices",
    "PrivateMounts", "PrivateNetwork", "PrivateTmp", "PrivateUsers", "ProcSubset", "ProtectControlGroups",
    "ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
    "ProtectProc", "ProtectSystem", "ReadOnlyPaths", "ReadWritePaths", "RootDirectory", "RootImage",
    "TemporaryFileSystem",
}  # fmt: skip
"""Settings of systemd.exec(5) that give a unit a mount, network or host name of its own."""


def service() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keep the case
    parser.read_string(unit().decode())
    return parser["Service"]


def test_what_the_agent_mounts_is_seen_by_the_host() -> None:
    assert set(service()) & _OWN_NAMESPACE == set()


def test_a_package_manager_is_not_cut_off_with_the_agent() -> None:
    assert service()["KillMode"] == "process"


def test_the_password_is_in_no_command_line() -> None:
    assert service()["EnvironmentFile"] == ENVIRONMENT
    assert "redis" not in service()["ExecStart"]


def test_the_environment_reads_back_as_it_was_written() -> None:
    told = environment("web-1", "shop", "rediss://host:se=cret@10.0.0.1:6380/0?ssl_ca_certs=/etc/ca.pem")
    assert read_environment(environment_text(told)) == told
    assert read_environment(b"# by hand\nRECONCILER_HOST=\n\xff\n") == {}


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("there is no systemd-analyze here")
    program = "/opt/reconciler/current/bin/reconcile"
    (tmp_path / SERVICE).write_text(unit().decode().replace(program, "/bin/true"))
    ended = subprocess.run([verify, "verify", tmp_path / SERVICE], capture_output=True, text=True, check=False)
    assert SERVICE not in ended.stderr
