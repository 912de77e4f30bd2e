"""Regular expressions that manifests hold, which must not keep a command or a watch busy for ever."""

from __future__ import annotations

import re

_BRANCHING = "*+?{|"
_LONGEST_SECONDS = 0.5
"""Of processor time."""


def matches_whole(pattern: str, text: str) -> bool:
    """Whether the pattern matches the whole text.

    A pattern that branches or repeats once at most takes time in proportion to the text. Others are left to the `regex`
    library, whose matches can be stopped, and which takes 60 ms to load.

    Raises:
        ValueError: it cannot be read, or does not come to an end.
    """
    if sum(map(pattern.count, _BRANCHING)) <= 1:
        return re.fullmatch(pattern, text) is not None
    import regex  # noqa: PLC0415 - see the docstring

    try:
        return regex.fullmatch(pattern, text, timeout=_LONGEST_SECONDS) is not None
    except TimeoutError:
        raise ValueError(f"{pattern} takes too long to match, it backtracks without end") from None
    except regex.error as error:
        raise ValueError(f"{pattern} is no regular expression: {error}") from None
