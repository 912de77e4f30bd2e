"""What is wrong with an app's rendering, told so that the planner can point at the line of the manifest.

Raised by the renderer.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.model.metadata import Path
from reconciler.rendering.trouble import Trouble
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem, and the text of the bundle that it came from.

    `path` leads into `Bundle.content`: ("resources", 2, "block", 0, "fields", "content"), ("resources", 1, "when"),
    ("health", 0, "http", "url"). A problem of a file below `templates/` has its place already (`problem.place.file`).
    """

    path: Path
    problem: Problem


class RenderFailed(InvalidInput):
    """An app cannot be rendered for a host. `faults` are its problems with the places in the bundle."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__(fault.problem for fault in self.faults)


def fault(path: Path, trouble: Trouble, app: str, host: str) -> Fault:
    """A trouble as people read it, for an app on a host."""
    whose = " on ".join(part for part in (app, host) if part)
    absent = trouble.code in {"undefined", "undefined-key"}
    told = f"{trouble.message} for {whose}" if absent else f"{trouble.message} ({whose})"
    place = trouble.place if trouble.template else Place(resource=".".join(map(str, path)))
    return Fault(path, Problem(place, told if whose else trouble.message, trouble.hint, trouble.code))
