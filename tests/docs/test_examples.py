"""The manifests that the pages show are valid."""

import hashlib
import re
from collections.abc import Mapping

import pytest

from reconciler.manifests import Loader
from reconciler.model.tree import Revision, Tree, TreeFile
from tests.docs.markdown import PAGES, Block, blocks

SURROUNDINGS = """\
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: example}
spec: {}
---
apiVersion: reconciler/v1
kind: Host
metadata: {name: web-1, labels: {role: web, env: production}}
spec: {address: 192.0.2.1}
---
apiVersion: reconciler/v1
kind: App
metadata: {name: shop}
spec: {hosts: role=web, resources: [{package: {name: nginx-light}}]}
---
apiVersion: reconciler/v1
kind: Job
metadata: {name: dump}
spec: {params: {database: {required: true}}, steps: [{command: {argv: [dump, "{{ database }}"]}}]}
"""

EXAMPLES = [
    block for page in PAGES for block in blocks(page, "yaml") if block.text.startswith("apiVersion: reconciler/v1")
]


def tree(files: Mapping[str, str]) -> Tree:
    return Tree(
        Revision(""),
        {path: TreeFile(path, hashlib.sha1(text.encode()).hexdigest(), text.encode) for path, text in files.items()},
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_valid(example: Block) -> None:
    templates = {f"templates/{path}": "" for path in re.findall(r"template: ([\w./-]+)", example.text)}
    manifests = {"manifests/surroundings.yaml": SURROUNDINGS, "manifests/example.yaml": example.text}
    Loader().load(tree({**manifests, **templates}))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
