"""What goes wrong on a host: one error for all resources, caught by the engine and told as an event.

It carries text only; the rooms above turn it into their own errors.
"""

from __future__ import annotations


class Failure(Exception):
    """A resource, a check or the host itself could not be brought to its state.

    `code` is kebab-case and stands in docs/reference/errors.md. `said` is what a program printed: it could hold a
    secret, so it is withheld where the resource does.
    """

    def __init__(self, code: str, message: str, hint: str = "", said: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.said = said

    def text(self, *, sensitive: bool = False) -> str:
        """The message with what was said."""
        said = "output withheld, it could hold a secret" if sensitive and self.said else self.said
        return f"{self.message}: {said}" if said else self.message


EXPECTED = (Failure, OSError)
"""What may go wrong on a host; anything else is a mistake of ours."""


def as_failure(error: Exception) -> Failure:
    """An expected error as a Failure: `Permission denied: /etc/shadow`."""
    if isinstance(error, Failure):
        return error
    if not isinstance(error, OSError) or not error.errno:
        return Failure("host-error", str(error) or type(error).__name__)
    names = [str(name) for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    return Failure("host-error", ": ".join([error.strerror or type(error).__name__, *names[:1]]))
