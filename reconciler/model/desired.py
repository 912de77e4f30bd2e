"""What should be: the composed state that the planner compares and the controller signs.

A bundle is the part of an app that all its hosts share, addressed by its content. The values are the part that
is a host's own: only what the bundle reads. Both together have one digest, which a host's statement signs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from reconciler.model.canonical import canonical, digest
from reconciler.resources.values import dataclass, field


@dataclass(frozen=True)
class Bundle:
    """The shared part of an app: resources before rendering, templates, health checks and policies.

    `body` is canonical JSON, so that equal content has an equal `sha`:
    {"app", "resources": [node...], "health": [...], "metrics": [...]?, "templates": {path: text}, "policy": {...}}
    where a node is {"kind", "fields", "name"?, "when"?, "forEach"?, "keep"?} or {"block": [node...], "when"?,
    "forEach"?}; policy is {"adopt", "prune", "onFailure", "drift", "verifyEvery" (seconds), "confirm" (seconds or
    null), "dependsOn": [{"app", "sameLabels", "require"}...], "formerly": [name...]}. A job's bundle has "steps": true,
    no health checks, and `model.run.JobPolicy` as its policy.
    """

    sha: str
    body: bytes

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Bundle:
        body = canonical(content)
        return cls(digest(content), body)

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body, parsed."""
        parsed: Mapping[str, Any] = json.loads(self.body)
        return parsed

    @property
    def app(self) -> str:
        name: str = self.content["app"]
        return name


def app_digest(bundle_sha: str, values: str) -> str:
    """The digest of an app on a host: its bundle and its values (canonical JSON text)."""
    return digest([bundle_sha, values])


@dataclass(frozen=True, slots=True)
class DesiredApp:
    """One app on one host."""

    host: str
    app: str
    bundle: str
    """The bundle's sha."""
    values: str
    """Canonical JSON of what the bundle reads: {"config", "vars", "host", "hosts", "facts"}, each part only where it
    is read. `hosts` maps a selector's text to the hosts that it picked; `facts` is null while the host's facts are
    unknown; secrets are references."""
    digest: str
    secrets: tuple[str, ...] = ()
    """Paths of the secrets among the values, sorted."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole fleet's desired state at one revision."""

    fleet: str
    revision: str
    hosts: Mapping[str, Mapping[str, DesiredApp]]
    """Host -> app -> what should be there; a host without apps has an empty map."""
    bundles: Mapping[str, Bundle]
    readers: tuple[DesiredApp, ...] = ()
    """Those of the apps that need secrets."""
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """App -> its config as declared, before any group or host; for people (`rc:app:{APP}`)."""
    formerly: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Host -> its old names, for hosts that have any: what is known of those is known of it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a controller says of one host, once: the complete map of its apps. A missing statement means unknown."""

    fleet: str
    host: str
    generation: int
    """Orders statements: max(last, the ledger's, now in ms) + 1."""
    revision: str
    apps: Mapping[str, str]
    """App -> digest."""
    secrets: Mapping[str, str]
    """App -> keyed fingerprint of its secrets' values, for apps that have any."""
    key_id: str
    sealing_key: str = ""
    """The key that this host's secrets are sealed to, hexadecimal; empty where its executor resolves them."""
    sealed: str = ""
    """SHA-256 of the sealed secrets, which stand beside the statement; empty for none."""


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement's canonical JSON and its Ed25519 signature (64 bytes)."""

    body: bytes
    signature: bytes
