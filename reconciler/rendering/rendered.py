"""What rendering gives: an app's resources for one host, ready for the engine. Handed to the planner and executors."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from reconciler.model.metadata import Path
from reconciler.rendering.blanks import NO_WORDS, Fill, Pattern, Words, filling
from reconciler.resources.values import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Form:
    """What a resource is on one host, or on all hosts that differ only in words that it prints: then it has blanks."""

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
    fill_fields: Fill | None = field(default=None, repr=False, compare=False)
    wanted: Pattern | None = field(default=None, repr=False, compare=False)
    """Makes the text that the fingerprint is taken of; None where that is the same on all hosts."""

    def with_blanks(self) -> Form:
        """This form, in whose place of a fingerprint stands what `marked_json` gave, ready to be filled."""
        wanted, fill_fields = Pattern.of(self.fingerprint), filling(dict(self.fields))
        if not wanted.numbers and not fill_fields:
            return replace(self, fingerprint=sha256_of(self.fingerprint.encode()))
        return replace(self, fingerprint="", fill_fields=fill_fields, wanted=wanted)


class RenderedResource:
    """One resource on one host: a form, filled with that host's words when they are asked for.

    Its fields may hold clear text of secrets, so they never show in its `repr`.
    """

    __slots__ = ("_fields", "_words", "fingerprint", "form", "id", "unknown")

    def __init__(self, form: Form, words: Words = NO_WORDS, fingerprint: str = "") -> None:
        self.id = form.id
        self.form = form
        """What it has in common with other hosts."""
        self._words = words
        self.unknown = form.unknown
        self.fingerprint = fingerprint or form.fingerprint
        self._fields: Mapping[str, Any] | None = None

    @property
    def kind(self) -> str:
        return self.form.kind

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def fields(self) -> Mapping[str, Any]:
        if self._fields is None:
            fill = self.form.fill_fields
            self._fields = fill(self._words) if fill else self.form.fields
        return self._fields

    def field(self, name: str) -> Any:
        """One of the fields, for which no other has to be filled; None where it is not given."""
        value = self.form.fields.get(name)
        return value if value is None or type(value) is str else self.fields.get(name)

    @property
    def keep(self) -> bool:
        return self.form.keep

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.form.secrets

    @property
    def path(self) -> Path:
        return self.form.path

    @property
    def whole(self) -> Form:
        """The form with nothing left to fill in."""
        return replace(self.form, fields=self.fields, fingerprint=self.fingerprint, fill_fields=None, wanted=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RenderedResource) and self.whole == other.whole

    def __hash__(self) -> int:
        return hash((self.id, self.fingerprint))

    def __repr__(self) -> str:
        return f"RenderedResource({self.form!r})"


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


def sha256_of(text: bytes) -> str:
    """64 hexadecimal digits."""
    return sha256(text).hexdigest()
