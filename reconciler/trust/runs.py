"""Runs as signed bytes: the only words that make an executor do a job's steps.

Whoever submits a run signs it; every executor verifies before it looks at anything that a run says.
"""

from __future__ import annotations

import hashlib
from typing import Any

from reconciler.errors import Place, Refused
from reconciler.model.canonical import canonical
from reconciler.model.run import Run, SignedRun
from reconciler.trust.authorship import check_author
from reconciler.trust.exact_json import NotExact, is_count, is_hexadecimal, is_text, parse_exact
from reconciler.trust.key_list import Permission, TrustedKeys

_FIELDS = {
    "fleet": is_text,
    "host": is_text,
    "id": is_text,
    "issue": is_count,
    "job": is_text,
    "bundle": is_hexadecimal(64),
    "values": is_text,
    "notAfter": is_count,
    "by": is_text,
    "sealed": is_text,
    "keyId": is_text,
}


def run_body(run: Run) -> bytes:
    """What is signed of a run: all of it."""
    fields: dict[str, Any] = {
        "fleet": run.fleet,
        "host": run.host,
        "id": run.id,
        "issue": run.issue,
        "job": run.job,
        "bundle": run.bundle,
        "values": run.values,
        "notAfter": run.not_after,
        "by": run.by,
        "sealed": run.sealed,
        "keyId": run.key_id,
    }
    return canonical(fields)


def verify_run(signed: SignedRun, trusted: TrustedKeys, *, fleet: str, host: str, run_id: str) -> Run:
    """The run, if a key that may start runs said exactly this, of this host, under this id.

    Whether it was begun before, and so whether it is too late for it, only the host knows.

    Raises:
        Refused: with the code unsigned, malformed-run, unknown-key, not-allowed, bad-signature, wrong-fleet,
            wrong-host, replayed or content-mismatch.
    """
    place = Place(host=host)
    if not signed.signature or not signed.body:
        raise Refused.of("unsigned", f"run {run_id} is not signed; nothing was done", place=place)
    run = _parse(signed.body, place)
    may, author = Permission.RUN, run.key_id
    check_author(signed.body, signed.signature, key_id=author, permission=may, trusted=trusted, place=place)
    if run.fleet != fleet:
        raise Refused.of("wrong-fleet", f"the run is for fleet {run.fleet}, this is {fleet}", place=place)
    if run.host != host:
        raise Refused.of("wrong-host", f"the run is for {run.host}", place=place)
    if run.id != run_id:
        raise Refused.of("replayed", f"the run was signed as {run.id}, not as {run_id}", place=place)
    if run.sealed != (hashlib.sha256(signed.sealed).hexdigest() if signed.sealed else ""):
        raise Refused.of("content-mismatch", f"the secrets of run {run.id} are not those that were signed", place=place)
    return run


def _parse(body: bytes, place: Place) -> Run:
    try:
        fields = parse_exact(body, _FIELDS)
    except NotExact as error:
        raise Refused.of("malformed-run", f"the run {error}", place=place) from None
    not_after, key_id = fields.pop("notAfter"), fields.pop("keyId")
    return Run(**fields, not_after=not_after, key_id=key_id)
