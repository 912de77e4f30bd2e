"""What is sent to a host: this program as a wheel, and the libraries that the lock pins."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

import reconciler
from reconciler.enrolment.lock import requirements
from reconciler.enrolment.own_wheel import own_wheel
from reconciler.enrolment.probe import Platform
from reconciler.enrolment.release import Release

BOOKWORM = Platform("/usr/bin/python3.11", (3, 11, 2), "x86_64", "glibc 2.36")


def test_pip_installs_the_wheel_and_the_command_runs(tmp_path: Path) -> None:
    wheel = own_wheel()
    (tmp_path / wheel.name).write_bytes(wheel.content)
    pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    where = ["--no-index", "--no-compile", f"--target={tmp_path / 'there'}", str(tmp_path / wheel.name)]
    subprocess.run([*pip, *where], check=True, stdin=subprocess.DEVNULL)
    start = "import sys; sys.path.insert(0, sys.argv.pop(1)); from reconciler.cli import entry; entry()"
    argv = [sys.executable, "-I", "-S", "-c", start, str(tmp_path / "there"), "--version"]
    assert subprocess.check_output(argv, text=True) == f"reconcile {reconciler.__version__}\n"
    assert (tmp_path / "there" / "bin" / "reconcile").exists()


def test_the_wheel_holds_every_file_of_the_package_and_nothing_that_python_made() -> None:
    package = Path(reconciler.__file__).parent
    names = set(zipfile.ZipFile(BytesIO(own_wheel().content)).namelist())
    assert "reconciler/store/functions/work_claim.lua" in names
    assert "reconciler/enrolment/agent.lock" in names
    assert not [name for name in names if "__pycache__" in name]
    assert {f"reconciler/{path.relative_to(package)}" for path in package.rglob("*.py")} <= names


def test_the_same_files_give_the_same_wheel(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("")
    first = own_wheel(tmp_path)
    (tmp_path / "__init__.py").touch()
    assert own_wheel(tmp_path) == first
    (tmp_path / "__init__.py").write_text("changed = True\n")
    assert own_wheel(tmp_path).sha256 != first.sha256


def test_the_lock_pins_each_library_once_and_by_hash() -> None:
    names = [it.name for it in requirements()]
    assert names == sorted(set(names))
    assert {"jinja2", "pip", "psutil", "pynacl", "redis", "regex", "structlog"} <= set(names)
    assert all("--hash=sha256:" in it.text for it in requirements())


def test_what_is_fetched_has_no_conditions_since_they_would_be_asked_of_the_wrong_python() -> None:
    release = Release.running()
    assert ";" in release.installed
    assert ";" not in release.fetched
    assert "async-timeout==" in release.fetched


def test_the_installer_is_fetched_but_not_installed() -> None:
    release = Release.running()
    assert "pip==" in release.fetched
    assert "\npip==" not in f"\n{release.installed}"
    assert release.installer.startswith("pip==")


def test_another_python_on_the_host_makes_another_version() -> None:
    release = Release.running()
    upgraded = Platform("/usr/bin/python3.13", (3, 13, 1), "x86_64", "glibc 2.41")
    assert release.name_on(BOOKWORM) == release.name_on(BOOKWORM)
    assert release.name_on(BOOKWORM) != release.name_on(upgraded)


@pytest.mark.parametrize(
    ("libc", "fits", "does_not"),
    [
        ("glibc 2.36", "manylinux_2_34_x86_64", "manylinux_2_37_x86_64"),
        ("glibc 2.17", "manylinux2014_x86_64", "manylinux_2_18_x86_64"),
        ("musl", "musllinux_1_2_x86_64", "manylinux_2_17_x86_64"),
    ],
)
def test_only_wheels_that_the_hosts_c_library_can_load_are_asked_for(libc: str, fits: str, does_not: str) -> None:
    tags = Platform("/usr/bin/python3", (3, 12, 0), "x86_64", libc).tags
    assert fits in tags
    assert does_not not in tags
