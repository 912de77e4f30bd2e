"""What a host would get, before it gets it."""

import json

from syrupy.assertion import SnapshotAssertion

from reconciler.rendering import Form, RenderedResource
from reconciler.reports.rendered import rendered_file, rendered_json, rendered_text

SITE = RenderedResource(
    Form(
        "file:/etc/nginx/sites-available/webapp.conf",
        "file",
        "site",
        {
            "path": "/etc/nginx/sites-available/webapp.conf",
            "content": "server {\n\n    listen 80;\x1b[2J\r\n}\n",
            "mode": "0644",
        },
        keep=False,
        fingerprint="f1",
        secrets=("webapp/mysql_pass",),
        unknown="",
    )
)
CPUS = RenderedResource(
    Form(
        "file:/etc/cpus",
        "file",
        "file:/etc/cpus",
        {"path": "/etc/cpus"},
        keep=False,
        fingerprint="f2",
        secrets=(),
        unknown="reads facts.cores, not known yet",
    )
)
NGINX = RenderedResource(
    Form(
        "service:nginx",
        "service",
        "service:nginx",
        {"name": "nginx", "check": ["nginx", "-t"]},
        keep=True,
        fingerprint="f3",
        secrets=(),
        unknown="",
    )
)


def test_resources_stand_with_their_fields(snapshot: SnapshotAssertion) -> None:
    assert rendered_text([SITE, CPUS, NGINX], color=False) == snapshot
    assert rendered_text([SITE, CPUS, NGINX], color=True) == snapshot


def test_a_pipe_gets_a_file_to_the_byte() -> None:
    assert rendered_file(SITE, terminal=False) == SITE.fields["content"]


def test_a_terminal_gets_a_file_that_cannot_speak_to_it() -> None:
    assert rendered_file(SITE, terminal=True) == "server {\n\n    listen 80;\\x1b[2J\\r\n}\n"


def test_programs_get_fields_with_their_types() -> None:
    resources = json.loads(rendered_json([SITE, NGINX]))["resources"]
    assert resources[0]["fields"] == SITE.fields
    assert resources[1] == {
        "id": "service:nginx",
        "kind": "service",
        "name": "service:nginx",
        "fields": {"name": "nginx", "check": ["nginx", "-t"]},
        "keep": True,
        "secrets": [],
        "unknown": "",
    }


def test_no_resources_are_no_text() -> None:
    assert rendered_text([], color=False) == ""
