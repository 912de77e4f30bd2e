"""The `reconcile` command: one file per subcommand; each parses, calls and prints. Imported by the console script.

Nothing is imported before it is known what the words ask for, so that a small command stays quick and a large one
begins at once with what takes longest.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

_OTHERS_WRITE = 0o022
_READ_ALL_MANIFESTS = frozenset({"apply", "explain", "plan", "render", "status", "validate", "verify", "watch"})
_EVERYWHERE = {"-C": 2, "-v": 1, "--verbose": 1, "-q": 1, "--quiet": 1, "--no-color": 1}
"""Flags of every command -> how many words they take."""


def entry() -> NoReturn:
    """The console script: `main`, then a quick end that skips tearing the interpreter down.

    Nothing that is made becomes writable for others, whatever umask was inherited. The cyclic garbage collector is off:
    a command is short, and collecting costs a tenth of its start. `watch` turns it on again.
    """
    gc.disable()
    os.umask(os.umask(_OTHERS_WRITE) | _OTHERS_WRITE)
    if _reads_all_manifests(sys.argv[1:]):
        from reconciler.ahead import begin_to_parse

        begin_to_parse(os.environ)
    try:
        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    _end(code)


def _end(code: int) -> NoReturn:
    """End at once; by the signal, if interrupted: a shell ends its loop only where a command did not survive it."""
    from reconciler.cli.exits import Exit

    if code == Exit.INTERRUPTED:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Never a traceback for what a user can cause."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words == ["--version"]:
        from reconciler import __version__

        sys.stdout.write(f"reconcile {__version__}\n")
        return 0
    from reconciler.cli.command_line import build_parser, command, command_of, parser_of

    if words and words[0] in {"-h", "--help", "help"}:
        build_parser().print_help()
        return 0
    name, rest = command_of(words)
    from reconciler.cli.running import run

    return run(command(name), parser_of(name).parse_args(rest))


def flags_before(words: Sequence[str]) -> int:
    """How many words, flags of every command, stand before the one that names a command."""
    position = 0
    while position < len(words) and words[position] in _EVERYWHERE:
        position += _EVERYWHERE[words[position]]
    return position


def _reads_all_manifests(words: Sequence[str]) -> bool:
    rest = words[flags_before(words) :]
    named = rest[0] if rest and not rest[0].startswith("-") else "apply"
    return named in _READ_ALL_MANIFESTS and not {"-h", "--help", "--version"}.intersection(words)
