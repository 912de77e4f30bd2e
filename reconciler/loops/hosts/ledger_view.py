"""A host's own ledger as observed state: how an emptied Redis fills again without touching a host."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.model.observed import Applied, AppStatus, ObservedApp, ObservedHost
from reconciler.resources.records.ledger import AppRecord, Ledger
from reconciler.resources.values import replace


def observed_host(ledger: Ledger, known: ObservedHost | None, facts: Mapping[str, Any]) -> ObservedHost:
    """What the host says of itself, with what Redis adds to it (drift, revision) where both speak of the same state."""
    known = known or ObservedHost()
    apps = {name: observed_app(record, known.apps.get(name)) for name, record in ledger.apps.items()}
    return replace(
        known,
        apps=apps,
        facts=facts,
        generation=max(ledger.generation, known.generation),
        paused={**known.paused, **ledger.paused},
        rejected=frozenset(digest for record in ledger.apps.values() for digest in record.rejected),
    )


def applied(record: AppRecord) -> Applied:
    """What stands on the host in the app's name; bundle and values where the executor had them kept."""
    kept = record.recovery
    return Applied(str(kept.get("bundle", "")), str(kept.get("values", "{}")), record.resources, record.adopted)


def knows_better(record: AppRecord, known: ObservedApp | None) -> bool:
    """Whether a host knows of a later run, or how a trial ended that Redis knows the run of."""
    if known is None or known.generation < record.generation:
        return True
    if known.generation > record.generation or known.status.value == record.status:
        return False
    return known.status is AppStatus.CONFIRMING or record.status == AppStatus.UNCONFIRMED.value


def observed_app(record: AppRecord, known: ObservedApp | None = None) -> ObservedApp:
    """An app as its host knows it; what Redis remembers of the same run says more."""
    if known and not knows_better(record, known):
        return known
    status = AppStatus(record.status) if record.status else AppStatus.FAILED
    return ObservedApp(
        generation=record.generation,
        digest=record.unconfirmed if status is AppStatus.UNCONFIRMED else record.digest,
        status=status,
        secrets=str(record.recovery.get("secrets", "")),
        error=record.error or ("" if record.status else "a run was cut off"),
        finished_at=datetime.fromtimestamp(record.changed_at, UTC) if record.changed_at else None,
    )
