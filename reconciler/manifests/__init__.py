"""YAML text -> typed manifests; all errors at once, each with file:line:column and a hint."""

from __future__ import annotations

from reconciler.manifests.loader import InvalidManifests, Loader, Meanwhile, is_manifest
from reconciler.manifests.starter import STARTER

__all__ = ["STARTER", "InvalidManifests", "Loader", "Meanwhile", "is_manifest", "json_schemas"]


def json_schemas() -> dict[str, dict[str, object]]:
    """Kind -> its JSON Schema (draft 2020-12), for `reconcile schema` and editors."""
    from reconciler.manifests.schemas import json_schemas as build  # noqa: PLC0415 - pydantic loads only if needed

    return build()
