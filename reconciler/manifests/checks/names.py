"""Names: exactly one Fleet, no name twice, no old name that is still in use."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.manifests.findings import Finding
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document

_NAME = ("metadata", "name")


def one_fleet(index: Index) -> Iterator[tuple[Document | None, Finding]]:
    """There is exactly one Fleet."""
    fleets = list(index.documents["Fleet"].values())
    if not fleets and index.certain("Fleet"):
        yield None, Finding((), "there is no Fleet", "Write manifests/fleet.yaml with kind: Fleet", "no-fleet")
    for fleet in fleets[1:]:
        first = fleets[0].value.metadata.origin.file
        yield fleet, Finding(_NAME, f"a second Fleet; the first is in {first}", "Keep one", "duplicate-name")


def doubles(index: Index) -> Iterator[tuple[Document, Finding]]:
    """No name stands twice among a kind, compared without case."""
    for document, first in index.doubles:
        where = first.value.metadata.origin.file
        message = f'{document.kind} "{document.name}" is declared twice; first in {where}'
        if document.name != first.name:
            message = f'{document.kind} "{document.name}" and "{first.name}" in {where} differ only in case'
        yield document, Finding(_NAME, message, "Rename one", "duplicate-name")


def former_names(index: Index) -> Iterator[tuple[Document, Finding]]:
    """An old name belongs to one document, and no document has it now."""
    for kind, documents in index.documents.items():
        renamed = [document for document in documents.values() if document.value.metadata.formerly]
        current = {name.lower(): document for name, document in documents.items()} if renamed else {}
        claimed: dict[str, Document] = {}
        for document in renamed:
            for position, old in enumerate(document.value.metadata.formerly):
                other = current.get(old.lower()) or claimed.setdefault(old.lower(), document)
                if other is not document or old.lower() == document.name.lower():
                    path = ("metadata", "formerly", position)
                    message = f'"{old}" is the name of {kind} {other.name}'
                    if old.lower() not in current:
                        message = f'{kind} {other.name} was formerly "{old}" too'
                    yield document, Finding(path, message, "Remove it from formerly", "formerly-in-use")
