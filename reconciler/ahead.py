"""What a command begins before it is loaded itself: the process that parses manifests beside this one.

That takes as long to load as all the rest of a command, and no host can be dialed before. Begun by the console script,
taken by who loads manifests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from reconciler.apart import Apart
from reconciler.directories import PARSED, cache_dir

if TYPE_CHECKING:
    from reconciler.manifests.cache import Key
    from reconciler.manifests.parsed import Parsed

    Parser: TypeAlias = Apart[Mapping[Key, bytes], dict[Key, Parsed]]

_begun: list[Parser] = []


def begin_to_parse(environ: Mapping[str, str]) -> None:
    """Have another process load what parses, where nothing is cached that would make it needless."""
    given = {name: value for name, value in environ.items() if value}
    with suppress(OSError):
        if os.listdir(f"{cache_dir(given)}/{PARSED}"):  # noqa: PTH208 - Path is not loaded yet
            return
    parser: Parser = Apart(_warm_up, _parse)
    parser.get_ready()
    _begun.append(parser)


def begun() -> Parser | None:
    """The process that was begun, for the first who asks."""
    return _begun.pop() if _begun else None


def _warm_up() -> None:
    from reconciler.manifests.parsing import warm_up  # noqa: PLC0415 - in the other process

    warm_up()


def _parse(manifests: Mapping[Key, bytes]) -> dict[Key, Parsed]:
    from reconciler.manifests.parsing import parse_all  # noqa: PLC0415 - in the other process

    return parse_all(manifests)
