"""Builds the file system that all hosts start from, once, and keeps it in the user's cache directory.

Called by `python -m tests.e2e`. The hosts have no way out, so every package that a test installs is downloaded here and
served from /srv/packages inside the root.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.namespaces import run_enclosed

INSTALLED = ("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "sudo", "iproute2")
SERVED = (
    "cron",
    "curl",
    "default-mysql-client",
    "haproxy",
    "logrotate",
    "mariadb-server",
    "nginx-light",
    "redis-server",
)
_HOOK = r"""
set -eu
root=$1
archives=$root/srv/packages
install -d "$archives/partial"
apt-get install --yes --quiet --download-only -o Dir::Cache::Archives="$archives" {served}
rm -rf "$archives/partial" "$archives/lock"
(cd "$archives" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
rm -rf "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap
echo 'deb [trusted=yes] file:/srv/packages ./' >"$root/etc/apt/sources.list"
echo 'APT::Install-Recommends "false";' >"$root/etc/apt/apt.conf.d/99offline"
chroot "$root" apt-get update --quiet
rm -f "$root"/etc/ssh/ssh_host_*
chroot "$root" useradd --create-home --shell /bin/bash ops
echo 'ops ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/ops"
chroot "$root" systemctl enable systemd-networkd.service ssh.service
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer systemd-networkd-wait-online.service
"""


class CannotBuild(Exception):
    """The root could not be built; the message says why."""


@contextmanager
def cached_root() -> Iterator[Path]:
    """The root's directory, built where it is lacking; no other run removes it meanwhile.

    Raises:
        CannotBuild: the packages cannot be had.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reconciler-e2e"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    sources = machine_sources()
    root = cache / _key(sources)
    with _locked(cache / f"{root.name}.lock", fcntl.LOCK_SH):
        with _locked(cache / "building.lock", fcntl.LOCK_EX):
            if not root.exists():
                _build(root, sources)
            _remove_others(cache, root)
        yield root


def machine_sources() -> list[str]:
    """The distribution's own archives that this machine installs from, as lines of sources.list(5).

    Raises:
        CannotBuild: there are none.
    """
    release = _release()
    architecture = _output("dpkg", "--print-architecture")
    form = "$(ORIGIN)\t$(ARCHITECTURE)\t$(RELEASE)\tdeb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    rows = _output("apt-get", "indextargets", "--format", form, "Created-By: Packages").splitlines()
    lines = []
    for origin, built_for, suite, line in (row.split("\t") for row in rows):
        if origin in {"Debian", "Ubuntu"} and built_for == architecture and suite.startswith(release):
            lines.append(line)
    if not lines:
        raise CannotBuild(f"apt knows no archive of {release}: run apt-get update")
    return sorted(set(lines))


def _build(root: Path, sources: list[str]) -> None:
    print(f"e2e: building the hosts' root {root} (about half a minute, once)", file=sys.stderr)
    building = root.with_suffix(".building")
    shutil.rmtree(building, ignore_errors=True)
    log = root.with_suffix(".log")
    hook = 'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" sh -c {} hook "$1"'.format(
        shlex.quote(_HOOK.format(served=" ".join(SERVED)))
    )
    command = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--skip=cleanup/apt",  # the hook leaves the lists of what the root serves
        f"--include={','.join(INSTALLED)}",
        *(f"--aptopt={option}" for option in _proxies()),
        f"--customize-hook={hook}",
        _release(),
        str(building),
        *sources,
    ]
    code = run_enclosed(["sh", "-c", 'exec "$@" >"$0" 2>&1', str(log), *command], offline=False)
    if code:
        shutil.rmtree(building, ignore_errors=True)
        raise CannotBuild(f"mmdebstrap ended with {code}:\n{log.read_text(errors='replace')[-3000:]}")
    building.rename(root)


def _proxies() -> list[str]:
    dumped = _output("apt-config", "dump", "--format", '%f "%v";%n', "Acquire::http", "Acquire::https")
    return [line for line in dumped.splitlines() if "::Proxy" in line]


def _key(sources: list[str]) -> str:
    """What the root is made from, so that a change of it makes a new root."""
    recipe = "\n".join([*INSTALLED, "", *SERVED, _HOOK, *sources])
    return f"root-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _remove_others(cache: Path, root: Path) -> None:
    """Remove what older recipes left, as far as no run uses it."""
    for lock in cache.glob("root-*.lock"):
        if lock.stem != root.name:
            with suppress(BlockingIOError), _locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
                for left in (lock.with_suffix(""), lock.with_suffix(".building")):
                    shutil.rmtree(left, ignore_errors=True)
                lock.with_suffix(".log").unlink(missing_ok=True)
                lock.unlink()


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, how)
        yield


def _release() -> str:
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
