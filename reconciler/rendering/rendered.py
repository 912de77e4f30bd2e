"""What rendering gives: an app's resources for one host, ready for the engine. Handed to the planner and executors."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from reconciler.model.metadata import Path
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True, slots=True)
class RenderedResource:
    """One resource. Its fields may hold clear text of secrets, so they never show in its `repr`."""

    id: str
    """`kind:key`, where key is the path or name; never holds a secret."""
    kind: str
    name: str
    """The name that others refer to it by; its id where it was given none."""
    fields: Mapping[str, Any] = field(repr=False)
    """By the manifest's names; a file's text stands in `content`, whatever it came from."""
    keep: bool
    fingerprint: str
    """Digest of what is wanted, of the rendering in which secrets are only named."""
    secrets: tuple[str, ...]
    """Paths of the secrets that the fields hold, sorted."""
    unknown: str
    """Why it is not known what is wanted; empty where it is. Fields that are not known keep their text unrendered."""
    path: Path = ()
    """Where it stands in the bundle's content."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """An app on a host."""

    resources: tuple[RenderedResource, ...]
    health: tuple[Mapping[str, Any], ...] = field(repr=False)
    """Checks in declared order, without those that are not known yet."""
    metrics: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """The app's own metrics, likewise: {"name", "interval" (seconds), one of "command", "url", "textfile"}."""


KEY_FIELDS = frozenset({"argv", "key", "line", "match", "name", "path"})
"""Fields that an id is made of."""


def resource_id(kind: str, name: str | None, fields: Mapping[str, Any]) -> str:
    """The id of a resource that was given this name, or none."""
    return f"{kind}:{resource_key(kind, name, fields)}"


def resource_key(kind: str, name: str | None, fields: Mapping[str, Any]) -> str:
    """What tells a resource from others of its kind on a host."""
    match kind:
        case "command":
            argv = fields.get("argv")
            return name or (shlex.join(map(str, argv)) if isinstance(argv, list) else str(argv))
        case "line":
            return f"{fields.get('path')} {fields.get('match') or fields.get('line')}"
        case "sysctl":
            return str(fields.get("key"))
        case "reboot":
            return "host"
    key = fields.get("path", fields.get("name", name))
    return ",".join(map(str, key)) if isinstance(key, list) else str(key)
