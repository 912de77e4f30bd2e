"""What goes wrong on a host: one error for all resources, caught by the engine and told as an event.

It carries text only; the rooms above turn it into their own errors.
"""

from __future__ import annotations

import os


class Failure(Exception):
    """A resource, a check or the host itself could not be brought to its state.

    `code` is kebab-case and stands in docs/reference/errors.md; neither text ever holds a secret.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def from_os_error(error: OSError) -> Failure:
    """The same, said without a traceback: `Permission denied: /etc/shadow`."""
    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    names = [str(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    return Failure("host-error", ": ".join([reason, *names[:1]]))
