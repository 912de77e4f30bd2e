"""The index picks the same hosts as the model's own selection, only faster."""

import pytest

from reconciler.manifests.documents import parse
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document
from reconciler.model.selector import Selector
from tests.unit.manifests.trees import app, fleet, host, load

SELECTORS = [
    "*", "role=web", "role!=web", "role in (web, db)", "role notin (web)", "env", "!env", "role=web,env=prod",
    "role=gone", "name=web-1", "name!=web-1", "name in (db-1,gone)", "app=webapp", "app!=webapp", "!app", "app",
    "gone", "!gone",
]  # fmt: skip


@pytest.mark.parametrize("text", SELECTORS)
def test_a_selector_picks_the_same_hosts_by_sets_as_one_by_one(text: str) -> None:
    tree = fleet(
        a=app("  hosts: role in (web,db)\n  resources: []\n"),
        b=host("db-1", "role: db"),
        c=host("jump", "role: bastion, env: prod"),
    )
    manifests, selector = load(tree), Selector.parse(text)
    index = Index([parse(file.path, file.read()) for file in tree.files.values()])

    assert sorted(index.select(selector)) == list(manifests.select(selector))


def test_documents_know_their_names() -> None:
    documents: tuple[Document, ...] = parse("manifests/x.yaml", host("x").encode()).documents

    assert [document.name for document in documents] == ["x"]
