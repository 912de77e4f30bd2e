"""What makes a run of a schedule the same one, whoever starts it: so two schedulers at once do no harm.

A run's id has the shape of every other: 48 bits of the nominal time in milliseconds, so that ids sort by it, and 80
bits that here are a hash. The host is no part of it, since a record stands in its host's slot: so people follow one id
on all hosts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.model.canonical import canonical
from reconciler.model.metadata import Value
from reconciler.ulids import ulid_of


def run_id(schedule: str, nominal: datetime, params: Mapping[str, Value]) -> str:
    """The id of the runs of a schedule at a nominal time."""
    said = canonical({"schedule": schedule, "at": nominal.isoformat(), "params": dict(params)})
    return ulid_of(nominal, hashlib.sha256(said).digest()[:10])


def offset(schedule: str, host: str, jitter_seconds: float) -> timedelta:
    """By how much a host starts after the nominal time: always the same, below the jitter, spread evenly over hosts."""
    digest = hashlib.sha256(f"{schedule}\0{host}".encode()).digest()
    return timedelta(seconds=jitter_seconds * (int.from_bytes(digest[:7]) / (1 << 56)))
