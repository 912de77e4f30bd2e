"""A secret is referred to from values of every layer, from resources and from health checks."""

from __future__ import annotations

import pytest

from reconciler.planner.secret_references import first_reference
from tests.fakes.fleet import app, file, group, host, locate, manifests

DECLARED = manifests(
    app(
        "web",
        file("/etc/a"),
        {"block": {"resources": [{"command": {"argv": ["true"], "env": {"TOKEN": {"secret": "in/env"}}}}]}},
        config={"tls": {"keys": ["plain", {"secret": "in/config"}]}},
        health=({"http": {"url": "http://x", "headers": {"secret": "in/health"}}},),
    ),
    group("all", config={"web": {"password": {"secret": "in/group"}}}, vars={"key": {"secret": "in/group-vars"}}),
    host("web-1", config={"web": {"password": {"secret": "in/host"}}}),
    host("web-2", config={"web": {"password": {"secret": "in/host"}}}),
)


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        ("in/config", "manifests/apps/web.yaml#spec.config.tls.keys.1"),
        ("in/env", "manifests/apps/web.yaml#spec.resources.1.block.resources.0.command.env.TOKEN"),
        ("in/health", "manifests/apps/web.yaml#spec.health.0.http.headers"),
        ("in/group", "manifests/groups/all.yaml#spec.config.web.password"),
        ("in/group-vars", "manifests/groups/all.yaml#spec.vars.key"),
        ("in/host", "manifests/hosts/web-1.yaml#spec.config.web.password"),
    ],
)
def test_the_first_place_that_refers_to_a_secret_is_found(secret: str, place: str) -> None:
    found = first_reference(DECLARED, secret)
    assert found
    assert str(locate(*found)) == place


def test_nothing_refers_to_a_secret_that_no_manifest_names() -> None:
    assert first_reference(DECLARED, "elsewhere") is None
