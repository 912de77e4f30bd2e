"""Equal values, equal bytes: the one JSON form that digests and signatures are taken of."""

from __future__ import annotations

import hashlib
from json import JSONEncoder
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined] # what JSONEncoder is made of
from typing import Any

_chunks = c_make_encoder(None, JSONEncoder().default, encode_basestring, None, ":", ",", True, False, False)  # noqa: FBT003
"""Pieces of compact JSON, characters as they are, keys sorted, no NaN. A `JSONEncoder` makes one for every value."""


def canonical(value: Any) -> bytes:
    """Compact UTF-8 JSON with sorted keys; NaN and infinities are refused with ValueError."""
    return "".join(_chunks(value, 0)).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
