"""What only several documents together can get wrong. Called by the loader on every load, so each check is cheap.

A check takes the index and yields the document and the finding; it reads model values and claims, never text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from reconciler.manifests.checks.layers import config_keys, connection_conflicts, secrets_in_argv
from reconciler.manifests.checks.monitoring import (
    built_in_alerts,
    inhibiting_circles,
    known_metrics,
    matched_alerts,
    monitored_apps,
    named_alerts,
    named_jobs,
)
from reconciler.manifests.checks.names import doubles, former_names, one_fleet
from reconciler.manifests.checks.references import dependencies, selected_apps, template_files
from reconciler.manifests.checks.selection import circles, empty_selectors, sandbox_limits, shared_sandboxes
from reconciler.manifests.findings import Finding
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document

Check: TypeAlias = Callable[[Index], Iterator[tuple[Document | None, Finding]]]

CHECKS: Sequence[Check] = (
    one_fleet,
    doubles,
    former_names,
    dependencies,
    selected_apps,
    template_files,
    circles,
    empty_selectors,
    sandbox_limits,
    shared_sandboxes,
    config_keys,
    connection_conflicts,
    secrets_in_argv,
    named_jobs,
    named_alerts,
    matched_alerts,
    built_in_alerts,
    inhibiting_circles,
    monitored_apps,
    known_metrics,
)
