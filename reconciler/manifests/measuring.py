"""Expressions over metrics in alerts, gates and triggers. Whether an app measures what they name, `checks` say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.alerting.expressions import Scope, compile_metrics
from reconciler.errors import InvalidInput
from reconciler.manifests.findings import Finding
from reconciler.model.metadata import Path
from reconciler.model.metrics import METRICS

MetricClaims = tuple[tuple[Path, frozenset[str]], ...]


def metric_claims(texts: Mapping[Path, str | None], scope: Scope, found: list[Finding]) -> MetricClaims:
    """The names in these expressions that some app must define; what is wrong with one is added to `found`."""
    return tuple(_claims(((path, text) for path, text in texts.items() if text is not None), scope, found))


def _claims(
    texts: Iterable[tuple[Path, str]], scope: Scope, found: list[Finding]
) -> Iterator[tuple[Path, frozenset[str]]]:
    for path, text in texts:
        try:
            own = compile_metrics(text, scope).windows.keys() - METRICS.keys()
        except InvalidInput as error:
            found.extend(Finding(path, problem.message, problem.hint, problem.code) for problem in error.problems)
            continue
        if own:
            yield path, frozenset(own)
