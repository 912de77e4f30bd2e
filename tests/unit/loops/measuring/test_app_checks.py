"""What apps want watched on a host: their services, health checks and metrics, as rendered for it."""

from __future__ import annotations

import json
from typing import Any

from reconciler.loops.measuring.app_checks import app_checks
from reconciler.model.desired import Bundle, DesiredApp
from reconciler.rendering import Renderer


def checks(config: dict[str, Any] | None = None, **content: Any) -> list[Any]:
    bundle = Bundle.of({"app": "web", "resources": [], "health": [], "templates": {}, "policy": {}, **content})
    app = DesiredApp("web-1", "web", bundle.sha, json.dumps({"config": config or {}}), "d")
    return list(app_checks({"web": app}, {bundle.sha: bundle}, Renderer))


def test_services_health_and_metrics_are_rendered_for_the_host() -> None:
    found = checks(
        {"port": 80},
        resources=[
            {"kind": "service", "fields": {"name": "nginx"}},
            {"kind": "service", "fields": {"name": "apache2", "state": "stopped"}},
        ],
        health=[{"tcp": {"port": "{{ port }}"}}],
        metrics=[
            {"name": "queue", "interval": 30.0, "command": ["count", "--port={{ port }}"]},
            {"name": "hits", "interval": 5.0, "url": "http://127.0.0.1:{{ port }}/metrics"},
        ],
    )
    assert found == [
        {
            "app": "web",
            "services": ["nginx"],
            "health": [{"tcp": {"port": 80}}],
            "metrics": [
                {"name": "queue", "interval": 30.0, "command": ["count", "--port=80"]},
                {"name": "hits", "interval": 5.0, "url": "http://127.0.0.1:80/metrics"},
            ],
        }
    ]


def test_what_reads_a_secret_is_left_out() -> None:
    password = {"secret": "web/password"}
    url = "http://x:{{ p }}@127.0.0.1/"
    found = checks(
        {"p": password},
        health=[{"http": {"url": url}}, {"tcp": {"port": 80}}],
        metrics=[{"name": "hits", "interval": 5.0, "url": url}],
    )
    assert [(each["health"], each["metrics"]) for each in found] == [([{"tcp": {"port": 80}}], [])]


def test_an_app_that_wants_nothing_or_cannot_be_rendered_is_left_out() -> None:
    assert checks() == []
    assert checks(health=[{"tcp": {"port": "{{ nowhere }}"}}]) == []
