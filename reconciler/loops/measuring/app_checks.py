"""What a host's apps want watched there, as `resources.checkups` takes it: services, health checks, own metrics.

Asked by collectors, with what was signed for a host or what was composed for it. What reads a secret is left out: it
would have to be sent with every sample.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.model.desired import Bundle, DesiredApp
from reconciler.rendering import Renderer

AppChecks = Mapping[str, Any]
"""{"app", "services": [name...], "health": [check...], "metrics": [metric...]}"""


def app_checks(
    apps: Mapping[str, DesiredApp], bundles: Mapping[str, Bundle], renderer: Callable[[Bundle], Renderer]
) -> tuple[AppChecks, ...]:
    """Of all apps of one host, by name; apps that want nothing, or cannot be rendered now, are left out."""
    found = (_of_app(app, bundles.get(app.bundle), renderer) for _, app in sorted(apps.items()))
    return tuple(checks for checks in found if checks is not None)


def _of_app(app: DesiredApp, bundle: Bundle | None, renderer: Callable[[Bundle], Renderer]) -> AppChecks | None:
    if bundle is None:
        return None
    try:
        rendered = renderer(bundle).render(json.loads(app.values), host=app.host)
    except ReconcilerError:
        return None  # the plan tells why
    services = [
        str(resource.fields["name"])
        for resource in rendered.resources
        if resource.kind == "service" and not resource.unknown and _stays_running(resource.fields)
    ]
    health = [dict(check) for check in rendered.health if not _names_secret(check)]
    metrics = [dict(metric) for metric in rendered.metrics if not _names_secret(metric)]
    if not (services or health or metrics):
        return None
    return {"app": app.app, "services": services, "health": health, "metrics": metrics}


def _stays_running(fields: Mapping[str, Any]) -> bool:
    return fields.get("state", "present") not in {"stopped", "absent"}


def _names_secret(value: Mapping[str, Any]) -> bool:
    text = json.dumps(value)
    return "<secret " in text or '{"secret": ' in text
