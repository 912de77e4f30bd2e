"""The form of ids that sort by time: 48 bits of milliseconds and 80 bits more, as 26 characters.

Whose other bits are chance is made by `clock.ulid`; a schedule's runs have a hash there. Source:
https://github.com/ulid/spec
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def milliseconds(moment: datetime) -> int:
    """Unix time in whole milliseconds, the unit of generations; exact, unlike a float of seconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def ulid_of(moment: datetime, rest: bytes) -> str:
    """The id of a moment and 10 bytes."""
    number = (milliseconds(moment) << 80) | int.from_bytes(rest)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
