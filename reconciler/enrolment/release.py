"""What stands in one version directory of a host: this program and its libraries, for one kind of host.

Made for `enroll` and `upgrade`. A release is named by all that it is made from, so that equal names are equal things.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reconciler import __version__
from reconciler.enrolment.lock import INSTALLER, Requirement, requirements
from reconciler.enrolment.own_wheel import NAME, Wheel, own_wheel
from reconciler.enrolment.probe import Platform
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """This version of the program, whichever host it goes to."""

    wheel: Wheel
    requirements: Sequence[Requirement]

    @classmethod
    def running(cls) -> Release:
        """The one that runs here."""
        return cls(own_wheel(), requirements())

    @property
    def installed(self) -> str:
        """What pip installs on the host, each file by its hash."""
        lines = [it.text for it in self.requirements if it.name != INSTALLER]
        return "\n".join([*lines, f"{NAME}=={__version__} --hash=sha256:{self.wheel.sha256}", ""])

    @property
    def fetched(self) -> str:
        """What is fetched here for a host without a network."""
        return "\n".join([it.unconditional for it in self.requirements] + [""])

    @property
    def installer(self) -> str:
        """What is fetched here for a host that fetches the rest itself."""
        return "\n".join([it.unconditional for it in self.requirements if it.name == INSTALLER] + [""])

    def name_on(self, platform: Platform) -> str:
        """The version directory's name: another Python on the host makes another one."""
        ground = f"{self.installed}\n{platform.executable} {platform.slug}"
        return f"{__version__}-{hashlib.sha256(ground.encode()).hexdigest()[:12]}"
