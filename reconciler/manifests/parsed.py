"""What is kept of a parsed file, in memory and on disk; plain values that need neither pydantic nor ruamel."""

from __future__ import annotations

from typing import Any

from reconciler.errors import Problem
from reconciler.manifests.kinds import Claims
from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest."""

    kind: str
    value: Any
    """A manifest of `reconciler.model`: Fleet, Host, App, Alert and so on."""
    claims: Claims

    @property
    def name(self) -> str:
        text: str = self.value.metadata.name
        return text


@dataclass(frozen=True, slots=True)
class Template:
    """A file below templates/."""

    name: str
    text: str = ""
    unusable: str = ""
    """Why it is no template, which matters only where something names it."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with its Jinja, which does not matter where it is only copied."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file: its documents, its problems, and what is known of documents that could not be made into values."""

    documents: tuple[Document, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: frozenset[tuple[str, str]] = frozenset()
    """(kind, name) of documents with problems: they exist, so that references to them are no further problem."""
    opaque: bool = False
    """It may declare things whose kind or name cannot be told."""
    template: Template | None = None

    @property
    def sound(self) -> bool:
        """Nothing is wrong with it by itself."""
        return not self.problems and not (self.template and self.template.problems)
