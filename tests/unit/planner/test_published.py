"""What `HGETALL rc:app:{APP}` shows."""

from __future__ import annotations

from reconciler.planner.published import published_config
from tests.fakes.fleet import app, compose, file, group, host, manifests


def test_values_are_resolved_where_all_hosts_agree() -> None:
    web = app("web", file("/etc/web", "{{ db }} {{ port }} {{ name }}"), config={"db": None, "port": 80, "name": "web"})
    declared = manifests(
        web,
        group("all", config={"web": {"db": "db.example.org"}}),
        host("web-1", config={"web": {"port": 8080}}),
        host("web-2"),
    )
    assert published_config(compose(declared)) == {"web": {"db": "db.example.org", "port": 80, "name": "web"}}


def test_secrets_are_references() -> None:
    secret = {"secret": "web/password"}
    declared = manifests(app("web", file("/etc/web", "{{ password }}"), config={"password": secret}), host("web-1"))
    assert published_config(compose(declared)) == {"web": {"password": secret}}
