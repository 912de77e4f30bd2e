"""The exit codes that scripts may rely on; see docs/reference/commands.md."""

import enum


class Exit(enum.IntEnum):
    """How a command ended."""

    DONE = 0
    """Done, or nothing to do."""
    CANNOT = 1
    """It could not run: invalid manifests, no Redis, a refused guard, wrong usage."""
    CHANGES = 2
    """`--dry-run --detailed-exitcode` only: there are changes or unknowns."""
    FAILED = 3
    """It ran, and some host failed, was rolled back or was unreachable."""
    INTERRUPTED = 130
    """Ctrl-C; `watch` and `status --watch` end with 0 instead."""
