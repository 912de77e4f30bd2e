"""What agents on the hosts need, fetched while there is a network: the hosts have none, and neither has the ops server.

Called by `python -m tests.e2e`; kept beside the hosts' root.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from reconciler.enrolment.probe import QUESTIONS, platform_of
from reconciler.enrolment.release import Release
from reconciler.enrolment.wheelhouse import Wheelhouse
from reconciler.errors import Unavailable
from tests.e2e.root import CannotBuild

_VARIABLE = "E2E_WHEELS"


def fetched_wheels(root: Path) -> dict[str, str]:
    """Fetch what is lacking; gives the environment in which `cached_wheels` finds it.

    Raises:
        CannotBuild: no index can be reached.
    """
    asked = ["chroot", str(root), "python3", "-I", "-c", QUESTIONS]
    platform = platform_of(json.loads(subprocess.run(asked, check=True, capture_output=True).stdout))
    try:
        release, house = Release.running(), Wheelhouse(root.parent)
        house.wheels(release.fetched, platform)
        house.wheels(release.installer, None)
    except Unavailable as error:
        raise CannotBuild(str(error)) from None
    return {_VARIABLE: str(root.parent / "wheels")}


def cached_wheels() -> Path:
    """Where they are."""
    return Path(os.environ[_VARIABLE])
