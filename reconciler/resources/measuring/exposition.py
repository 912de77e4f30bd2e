"""Prometheus' text format, as far as one metric of an app needs it; a text that is one number is that number.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/. Comments, types and time stamps are passed over.
"""

from __future__ import annotations

import math
import re
from typing import Dict, List, Optional

MOST_SERIES = 100
"""Of one metric; what is more is left out, so that labels without end fill nothing."""

Exposition = Dict[str, float]
"""Labels as text, sorted (`code="500",method="GET"`; empty: none) -> value."""

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:.-]*)\s*(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*\Z")
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|\Z)')


def parse_exposition(text: str, name: str) -> Exposition:
    """The values of one metric. Lines that cannot be read, and numbers that are none, are passed over."""
    alone = _number(text.strip())
    if alone is not None:
        return {"": alone}
    found: Exposition = {}
    for line in text.splitlines():
        match = None if line.startswith("#") else _LINE.match(line.strip())
        if match is None or match["name"] != name:
            continue
        value = _number(match["value"])
        labels = _labels(match["labels"] or "")
        if value is not None and labels is not None and len(found) < MOST_SERIES:
            found[labels] = value
    return found


def _labels(text: str) -> Optional[str]:
    pairs: List[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _LABEL.match(text, at)
        if match is None:
            return None
        pairs.append(f'{match[1]}="{match[2]}"')
        at = match.end()
    return ",".join(sorted(pairs))


def _number(text: str) -> Optional[float]:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
