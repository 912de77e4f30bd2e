"""Where this machine keeps things outside of a repository, as the environment says; text, so that it is known at once.

Called by the settings, and by what begins before they are loaded.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

CACHE_VARIABLE = "RECONCILER_CACHE_DIR"
RUNTIME_VARIABLE = "RECONCILER_RUNTIME_DIR"
PARSED = "manifests"
"""The part of the cache that parsed manifests are kept in."""


def cache_dir(given: Mapping[str, str]) -> str:
    """What can be made again at any time; by these variables, of which none is empty."""
    if chosen := given.get(CACHE_VARIABLE):
        return chosen
    if shared := given.get("XDG_CACHE_HOME"):
        return f"{shared}/reconciler"
    home = given.get("HOME") or _home_of(os.geteuid())
    return f"{home}/.cache/reconciler" if home else f"{runtime_dir(given)}/cache"


def runtime_dir(given: Mapping[str, str]) -> str:
    """Sockets of the embedded server; by these variables, of which none is empty."""
    if chosen := given.get(RUNTIME_VARIABLE):
        return chosen
    session = given.get("XDG_RUNTIME_DIR")
    if session and os.path.isdir(session):  # noqa: PTH112 - `su` leaves one that is gone
        return f"{session}/reconciler"
    return "/run/reconciler" if os.getuid() == 0 else f"/tmp/reconciler-{os.getuid()}"  # noqa: S108 - its user makes it 0700


def _home_of(uid: int) -> str:
    """A service may run without HOME. Never the repository: what is in the cache is believed."""
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return ""
