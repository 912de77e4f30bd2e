"""What the programs of a run print, on its way to whoever follows: without secrets, in pieces, at a bounded rate.

Used by `steps`. However much is printed, at most 64 KiB wait here, and what is left out is counted.
"""

from __future__ import annotations

import codecs
from typing import Callable, Optional, Sequence

from reconciler.resources.applying.masking import masked
from reconciler.resources.machine.system import OUTPUT_BYTES, Clock

FLUSH_SECONDS = 0.5


class Output:
    """Hears bytes, tells text."""

    def __init__(self, tell: Callable[[str], None], clock: Clock, secrets: Sequence[str]) -> None:
        self._tell = tell
        self._clock = clock
        self._secrets = tuple(secret for secret in secrets if secret)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._unsure = ""
        """The end of what was heard, as long as it may be the beginning of a secret."""
        self._waiting = ""
        self._left_out = 0
        self._told_at: Optional[float] = None

    def hear(self, piece: bytes) -> None:
        """Take what was printed."""
        text = masked(self._unsure + self._decoder.decode(piece), self._secrets)
        kept = self._begun_secret(text)
        self._unsure = text[len(text) - kept :]
        self._waiting += text[: len(text) - kept]
        excess = len(self._waiting) - OUTPUT_BYTES
        if excess > 0:
            self._left_out += excess
            self._waiting = self._waiting[excess:]
        self.tick()

    def tick(self) -> None:
        """Tell what waits, if it is time."""
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= FLUSH_SECONDS:
            self._flush(now)

    def close(self) -> None:
        """Tell the rest: a program has ended, so no secret goes on in what comes next."""
        self._waiting += masked(self._unsure + self._decoder.decode(b"", final=True), self._secrets)
        self._unsure = ""
        self._flush(self._clock.monotonic())

    def _flush(self, now: float) -> None:
        if not self._waiting:
            return
        left_out = f"[... {self._left_out} characters left out ...]\n" if self._left_out else ""
        text, self._waiting, self._left_out, self._told_at = left_out + self._waiting, "", 0, now
        self._tell(text)

    def _begun_secret(self, text: str) -> int:
        """How many characters at the end are the beginning of a secret."""
        return max((_begun(text, secret) for secret in self._secrets), default=0)


def _begun(text: str, secret: str) -> int:
    at = text.find(secret[0], max(0, len(text) - len(secret) + 1))
    while at >= 0 and not secret.startswith(text[at:]):
        at = text.find(secret[0], at + 1)
    return len(text) - at if at >= 0 else 0
