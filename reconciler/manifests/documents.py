"""One manifest file -> its documents as model values, and everything that is wrong with it by itself.

Called by the loader for files that are not cached. What needs other files is left to `checks`.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import Field, ValidationError, create_model

from reconciler.errors import Place, Problem, cut
from reconciler.manifests.door import Door, findings, kind_of
from reconciler.manifests.fields import Labels, Name, Text
from reconciler.manifests.findings import Finding, did_you_mean, printable, some
from reconciler.manifests.kinds import KINDS, Draft, kind
from reconciler.manifests.nodes import read_nodes
from reconciler.manifests.parsed import Document, Parsed
from reconciler.manifests.places import problem
from reconciler.manifests.reading import Plain, UnreadableError, read
from reconciler.model.metadata import Metadata, Origin, Path

API_VERSION = "reconciler/v1"
MAX_NAME = 63
MAX_HOST_NAME = 253
_HEAD = "Write apiVersion: reconciler/v1, kind, metadata and spec"


class MetadataSpec(Door):
    """What all kinds have."""

    name: Name = Field(description="Its name; unique among its kind, compared without case.", examples=["web-1"])
    labels: Labels = Field({}, description="Labels, for selectors to pick it by.")
    formerly: list[Name] = Field([], description="Old names, so that a rename keeps what it owns.")


class Envelope(Door):
    """A whole document."""

    api_version: Text = Field(description="Version of the language.")
    kind: Text = Field(description="What it declares.")
    metadata: MetadataSpec = Field(description="Its name and labels.", examples=["{name: web-1}"])


@lru_cache(maxsize=32)
def document_model(name: str) -> type[Envelope]:
    """The model of a whole document of a kind."""
    found = kind(name)
    spec = (found.spec, Field(description=found.about, examples=["{}"]))
    return create_model(name, __base__=Envelope, __doc__=found.about, spec=spec)


def parse(file: str, raw: bytes) -> Parsed:
    """All documents of a file; never raises for what the file holds."""
    try:
        plains = read(raw)
    except UnreadableError as error:
        where = Place(file, error.line, error.column)
        message, hint = printable(error.message), printable(error.hint)
        return Parsed((), (Problem(where, message, hint, "invalid-yaml"),), opaque=True)
    if all(plain.value is None for plain in plains):
        empty = Problem(Place(file), "holds no manifest", f"Delete it, or {_HEAD[0].lower()}{_HEAD[1:]}", "empty-file")
        return Parsed((), (empty,), opaque=True)
    return _parsed(file, raw, plains)


def _parsed(file: str, raw: bytes, plains: list[Plain]) -> Parsed:
    documents: list[Document] = []
    problems: list[Problem] = []
    broken: set[tuple[str, str]] = set()
    opaque = False
    for index, plain in enumerate(plains):
        if plain.value is None:
            continue
        document = _document(plain, Origin(file, index))
        problems.extend(problem(raw, Origin(file, index), finding) for finding in plain.findings)
        if document:
            documents.append(document)
            continue
        identity = _identity(plain.value)
        opaque = opaque or identity is None
        broken.update([identity] if identity else ())
    return Parsed(tuple(documents), tuple(problems), frozenset(broken), opaque)


def _identity(value: Any) -> tuple[str, str] | None:
    """Kind and name of a broken document, where they can be told."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind_name = value.get("kind") if isinstance(value, Mapping) else None
    known = isinstance(kind_name, str) and kind_name in KINDS and isinstance(name, str)
    return (str(kind_name), str(name)) if known else None


def _document(plain: Plain, origin: Origin) -> Document | None:
    """The document's value; what is wrong is added to its findings."""
    heads = list(_head_findings(plain.value))
    if heads:
        plain.findings.extend(heads)
        return None
    name = plain.value["kind"]
    found = kind(name)
    nodes = {
        field: read_nodes(raw, ("spec", field), kinds, plain.findings)
        for field, kinds in found.nodes.items()
        if isinstance(spec := plain.value.get("spec"), dict) and isinstance(raw := spec.get(field), list)
    }
    envelope = _validated(document_model(name), plain.value, plain.findings)
    if envelope is None:
        return None
    metadata = _metadata(name, envelope.metadata, origin, plain.findings)
    draft = Draft(metadata, envelope.spec, plain.value["spec"], nodes, plain.findings)
    value, claims = found.build(draft)
    return Document(name, value, claims)


def _validated(model: type[Envelope], raw: dict[str, Any], found: list[Finding]) -> Any:
    """The document as its model, or None. Unknown fields are found, and then left out to go on."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        wrong = list(findings(error, model))
    found.extend(wrong)
    if any(finding.code != "unknown-field" for finding in wrong):
        return None
    try:
        return model.model_validate(_without(raw, {finding.path for finding in wrong}))
    except ValidationError as error:
        found.extend(findings(error, model))
        return None


def _without(value: Any, paths: Collection[Path], here: Path = ()) -> Any:
    """A copy of a value without what stands at some paths."""
    if isinstance(value, dict):
        return {key: _without(inner, paths, (*here, key)) for key, inner in value.items() if (*here, key) not in paths}
    if isinstance(value, list):
        return [_without(inner, paths, (*here, index)) for index, inner in enumerate(value)]
    return value


def _metadata(kind_name: str, spec: MetadataSpec, origin: Origin, found: list[Finding]) -> Metadata:
    limit = MAX_HOST_NAME if kind_name == "Host" else MAX_NAME
    if len(spec.name) > limit:
        path = ("metadata", "name")
        found.append(
            Finding(path, f"the name of this {kind_name} is longer than {limit} characters", code="invalid-name")
        )
    return Metadata(spec.name, origin, spec.labels, tuple(spec.formerly))


def _head_findings(value: Any) -> Iterator[Finding]:
    """Without a known version and kind nothing else can be said of a document."""
    if not isinstance(value, dict):
        yield Finding((), f"a manifest is a map, not {kind_of(value)}", _HEAD)
        return
    for field in ("apiVersion", "kind"):
        if field not in value:
            hint = did_you_mean(field, [key for key in value if key.lower() == field.lower()])
            yield Finding(
                (), f"{field} is missing", _HEAD if not hint else f"{field} is written like this", "missing-field"
            )
    version, name = value.get("apiVersion"), value.get("kind")
    if version is not None and version != API_VERSION:
        message = f"apiVersion {cut(str(version))} is not known"
        yield Finding(("apiVersion",), message, f"Write apiVersion: {API_VERSION}")
    if "kind" in value and not isinstance(name, str):
        message = "kind is empty" if name is None else f"kind is text, not {kind_of(name)}"
        yield Finding(("kind",), message, f"Known: {some(sorted(KINDS))}", "unknown-kind")
    elif name is not None and name not in KINDS:
        yield Finding(("kind",), f'unknown kind "{cut(name)}"', did_you_mean(name, KINDS), "unknown-kind")
