"""What an alert says: its rule's summary, rendered in the sandbox with what is known of it.

A summary that cannot be rendered never loses an alert: a plain sentence takes its place and says so.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from reconciler.errors import InvalidInput
from reconciler.model.monitoring import Alert
from reconciler.rendering import ConfigRenderer, is_template

LONGEST_SUMMARY = 2_000


def summary_of(rule: Alert, value: float | None, host: str, labels: Mapping[str, str]) -> str:
    """The summary's text; it may read `value`, `host` and `labels`."""
    if not is_template(rule.summary):
        return rule.summary
    return _rendered(rule.summary, rule.name, value, host, tuple(labels.items()))


@functools.lru_cache(maxsize=2048)
def _rendered(text: str, rule: str, value: float | None, host: str, labels: tuple[tuple[str, str], ...]) -> str:
    try:
        known = {"value": value, "host": {"name": host, "labels": dict(labels)}, "labels": dict(labels)}
        return str(_renderer().evaluate(text, known))[:LONGEST_SUMMARY]
    except InvalidInput as error:
        where = f" on {host}" if host else ""
        measured = "" if value is None else f" ({value:g})"
        return f"{rule}{where}{measured}; its summary cannot be rendered: {error.problems[0].message}"


@functools.cache
def _renderer() -> ConfigRenderer:
    return ConfigRenderer()
