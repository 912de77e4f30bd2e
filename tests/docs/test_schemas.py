"""The schemas that the example fleet's manifests name are those of today's manifests."""

import json

from reconciler.manifests import json_schemas
from tests.docs.markdown import ROOT


def test_the_committed_schemas_are_current() -> None:
    written = {path.stem: json.loads(path.read_text()) for path in (ROOT / "manifests" / ".schema").glob("*.json")}
    assert written == {kind.lower(): schema for kind, schema in json_schemas().items()}, "run: reconcile schema"
