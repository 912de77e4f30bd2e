"""The kinds of manifests, one module each.

A new kind is a module here, its name in `KINDS`, and its field in `Manifests`. A module defines `SPEC` (the model of
its `spec`), `ABOUT` (a sentence for the schema), `build(draft)`, and `NODES` where its spec has lists of resources. It
is imported only when a document of its kind must be read, because pydantic takes time to load.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.manifests.findings import Finding
from reconciler.model.manifests import Block, ResourceTemplate
from reconciler.model.metadata import Metadata, Path
from reconciler.resources.values import dataclass, field

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS: Mapping[str, str] = {
    "Fleet": "fleet",
    "Host": "hosts",
    "Group": "groups",
    "App": "apps",
    "Job": "jobs",
    "Schedule": "schedules",
    "Freeze": "freezes",
    "Alert": "alerts",
    "Channel": "channels",
    "Silence": "silences",
}
"""Kind -> the field of `Manifests` that holds its manifests by name (of Fleet: the only one)."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a manifest says that only other documents and files can confirm, found while it was read.

    Plain data, so that it is cached with the manifest and checks need no parsing.
    """

    templates: tuple[tuple[Path, str], ...] = ()
    """Files below templates/ that it names."""
    unsandboxed: tuple[tuple[Path, str], ...] = ()
    """Resources that a sandbox host cannot have, with the reason."""
    argv: tuple[tuple[Path, frozenset[str]], ...] = ()
    """Names of values that command lines read; none may be a secret."""
    metrics: tuple[tuple[Path, frozenset[str]], ...] = ()
    """Metrics in its expressions that some app must define."""
    allow_empty: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A document whose models have accepted it, for `build`."""

    metadata: Metadata
    spec: Any
    """An instance of the kind's `SPEC`."""
    raw: Mapping[str, Any]
    """The spec as written."""
    nodes: Mapping[str, tuple[ResourceTemplate | Block, ...]]
    """Its lists of resources, by field."""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind is read."""

    spec: type[BaseModel]
    about: str
    build: Callable[[Draft], tuple[Any, Claims]]
    nodes: Mapping[str, Mapping[str, type[BaseModel]]]
    """Fields of the spec that are lists of resources -> the kinds of resources that may stand there."""


def kind(name: str) -> Kind:
    """The kind of that name, one of `KINDS`."""
    module = importlib.import_module(f"{__name__}.{name.lower()}")
    return Kind(module.SPEC, module.ABOUT, module.build, getattr(module, "NODES", {}))
