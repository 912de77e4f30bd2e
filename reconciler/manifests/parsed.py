"""What is kept of a parsed file, in memory and on disk; plain values that need neither pydantic nor ruamel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.errors import Problem
from reconciler.manifests.kinds import Claims


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest."""

    kind: str
    value: Any
    """Fleet, Host, Group, App or Job of `reconciler.model.manifests`."""
    claims: Claims

    @property
    def name(self) -> str:
        text: str = self.value.metadata.name
        return text


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file: its sound documents, its problems, and what is known of the documents that are not sound."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...] = ()
    broken: frozenset[tuple[str, str]] = frozenset()
    """(kind, name) of documents with problems: they exist, so that references to them are no further problem."""
    opaque: bool = False
    """It may declare things whose kind or name cannot be told."""
