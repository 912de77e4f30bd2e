"""Expressions over metrics in alerts, gates and triggers. Whether an app measures what they name, `checks` say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.errors import InvalidInput
from reconciler.manifests.findings import Finding
from reconciler.model.metadata import Path
from reconciler.model.metrics import METRICS

MetricClaims = tuple[tuple[Path, frozenset[str]], ...]


def metric_claims(
    texts: Mapping[Path, str | None], found: list[Finding], *, each: str = "", fleet: bool = False
) -> MetricClaims:
    """The names in these expressions that some app must define; what is wrong with one is added to `found`.

    `each` and `fleet` say what the expressions may speak of, as of `alerting.expressions.Scope`.
    """
    written = {path: text for path, text in texts.items() if text is not None}
    return tuple(_claims(written, found, each=each, fleet=fleet)) if written else ()


def _claims(
    texts: Mapping[Path, str], found: list[Finding], *, each: str, fleet: bool
) -> Iterator[tuple[Path, frozenset[str]]]:
    from reconciler.alerting.expressions import Scope, compile_metrics  # noqa: PLC0415 - Jinja loads only if needed

    scope = Scope(each=each, fleet=fleet)
    for path, text in texts.items():
        try:
            own = compile_metrics(text, scope).windows.keys() - METRICS.keys()
        except InvalidInput as error:
            found.extend(Finding(path, problem.message, problem.hint, problem.code) for problem in error.problems)
            continue
        if own:
            yield path, frozenset(own)
