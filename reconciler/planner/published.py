"""An app's config for people to read in Redis: resolved where all its hosts agree, else as the app declares it.

Called by the controller when it writes; nothing is decided by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.model.desired import Desired


def published_config(desired: Desired) -> Mapping[str, Mapping[str, Any]]:
    """App -> key -> value; secrets are references."""
    values: dict[str, set[str]] = {app: set() for app in desired.config}
    for apps in desired.hosts.values():
        for name, app in apps.items():
            values[name].add(app.values)
    return {app: {**declared, **_agreed(values[app], declared)} for app, declared in desired.config.items()}


def _agreed(values: Iterable[str], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Keys that have one value on every host; a key that no template reads is not among a host's values."""
    configs = [json.loads(text).get("config", {}) for text in values]
    agreed: dict[str, Any] = {}
    for key in declared:
        found = {canonical(config[key]): config[key] for config in configs if key in config}
        if len(found) == 1:
            agreed[key] = next(iter(found.values()))
    return agreed
