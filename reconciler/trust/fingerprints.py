"""Keyed fingerprints of secret values: a rotation shows in a plan, the value does not. Called by planner and loops."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from reconciler.model.canonical import canonical


def derive_key(seed: bytes) -> bytes:
    """The fingerprints' key, 32 bytes, from the controller's seed; it tells nothing of the seed."""
    return hashlib.blake2b(key=seed, digest_size=32, person=b"rc secrets key").digest()


def secrets_fingerprint(key: bytes, values: Mapping[str, str]) -> str:
    """32 hexadecimal digits that change with any path or value; no values have the empty fingerprint."""
    if not values:
        return ""
    return hashlib.blake2b(canonical(dict(values)), key=key, digest_size=16, person=b"rc secrets").hexdigest()
