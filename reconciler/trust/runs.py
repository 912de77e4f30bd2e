"""Runs as signed bytes: the only words that make an executor do a job's steps.

Whoever submits a run signs it; every executor verifies before it looks at anything that a run says.
"""

from __future__ import annotations

import hashlib

from reconciler.errors import Place, Refused
from reconciler.model.run import Run, SignedRun
from reconciler.trust.ed25519 import Purpose
from reconciler.trust.exact_json import is_count, is_hexadecimal, is_text
from reconciler.trust.key_list import Permission, TrustedKeys
from reconciler.trust.signed_form import SignedForm

RUN = SignedForm(
    make=Run,
    fields={
        "fleet": ("fleet", is_text),
        "host": ("host", is_text),
        "id": ("id", is_text),
        "issue": ("issue", is_count),
        "job": ("job", is_text),
        "bundle": ("bundle", is_hexadecimal(64)),
        "values": ("values", is_text),
        "notAfter": ("not_after", is_count),
        "by": ("by", is_text),
        "sealed": ("sealed", is_text),
        "keyId": ("key_id", is_text),
    },
    purpose=Purpose.RUN,
    permission=Permission.RUN,
    name="run",
    act="start runs",
    code="malformed-run",
)


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
    run = RUN.said(signed.body, signed.signature, trusted, fleet=fleet, host=host)
    if run.id != run_id:
        raise Refused.of("replayed", f"the run was signed as {run.id}, not as {run_id}", place=place)
    if run.sealed != (hashlib.sha256(signed.sealed).hexdigest() if signed.sealed else ""):
        raise Refused.of("content-mismatch", f"the secrets of run {run.id} are not those that were signed", place=place)
    return run
