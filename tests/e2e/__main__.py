"""`python -m tests.e2e COMMAND...`: runs a command where a fleet of real hosts can be booted; `make e2e` calls it.

Builds the hosts' root where it is lacking, then runs the command in namespaces of its own. Where the machine cannot do
that it says why and ends with 0: the tests then count as skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from tests.e2e.namespaces import may_enclose, run_enclosed
from tests.e2e.root import CannotBuild, cached_root
from tests.e2e.wheels import fetched_wheels

PACKAGES = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "dpkg-scanpackages": "dpkg-dev",
    "ip": "iproute2",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "ssh": "openssh-client",
}

_ALL_IDS = "4294967295"
"""How many users there are where no user namespace hides some."""


def lacking() -> str:
    """Why this machine cannot run a fleet; empty if it can."""
    if sys.platform != "linux" or not shutil.which("apt-get"):
        return "the hosts are made from the packages of Debian or Ubuntu, which this machine does not have"
    if os.geteuid() != 0 or Path("/proc/self/uid_map").read_text().split()[-1] != _ALL_IDS:
        return "booting hosts needs root (the machine's, not a user namespace's)"
    packages = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if packages:
        return f"lacking: apt-get install {' '.join(packages)}"
    return "" if may_enclose() else "this machine does not allow new namespaces (a container without privileges?)"


def main(command: list[str]) -> int:
    """See the module."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in its background deaf to it
    reason = lacking()
    if reason:
        print(f"e2e: skipped: {reason}", file=sys.stderr)
        return 0
    try:
        with cached_root() as root:
            return run_enclosed(command, {"E2E_ROOT": str(root), **fetched_wheels(root)}, offline=True)
    except CannotBuild as error:
        print(f"e2e: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["bash"]))
