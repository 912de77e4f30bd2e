"""Runs one command and turns what goes wrong into an exit code and words."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from types import ModuleType

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.errors import NOWHERE, HostFailed, Problem, ReconcilerError, mistake_of_ours


def run(command: ModuleType, arguments: argparse.Namespace) -> int:
    """The command's exit code."""
    console = Console.of(arguments)
    try:
        return int(command.run(arguments, console))
    except ReconcilerError as error:
        console.problems(error.problems)
        return Exit.FAILED if isinstance(error, HostFailed) else Exit.CANNOT
    except KeyboardInterrupt:
        console.tell("Interrupted; what was under way is taken up by the next run.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.CANNOT
    except ModuleNotFoundError as error:
        console.problems([_missing(error)])
        return Exit.CANNOT
    except Exception as error:  # the last resort: one line that can be reported
        if console.verbose:
            raise
        console.problems([mistake_of_ours(error)])
        return Exit.CANNOT


def _missing(error: ModuleNotFoundError) -> Problem:
    """What is wrong where a library is not installed, as after fetching a version that needs one more."""
    hint = "Was a newer version fetched? Install what it needs: make install"
    return Problem(NOWHERE, f"the library {error.name} is not installed for {sys.executable}", hint, "no-library")
