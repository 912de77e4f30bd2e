"""What a watch begins with: the newest tree, or the one that the fleet follows while that has mistakes.

Where nothing is followed yet, it waits until the mistakes are mended. Called by `reconcile watch` and by the watch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from reconciler.errors import InvalidInput
from reconciler.loops.log import Log
from reconciler.loops.watching.following import Source
from reconciler.loops.watching.mistakes import Mistakes
from reconciler.model.manifests import Manifests
from reconciler.model.tree import Tree
from reconciler.store import FleetState, Store

TURN_SECONDS = 1.0
SWEEP_SECONDS = 10.0
"""How often due work is looked for without a hint that there is any."""


def tree_in_force(source: Source, state: FleetState | None) -> Tree | None:
    """What the fleet follows until there is something newer without mistakes; None: that cannot be known."""
    return source.earlier(state.revision) if state else None


def first_manifests(
    source: Source, load: Callable[[Tree], Manifests], store: Store, stop: threading.Event, log: Log
) -> Manifests | None:
    """The manifests that there are to begin with; None: it was stopped before there were any.

    Raises:
        InvalidInput: there is no such branch.
        Unavailable: what is to be followed is out of reach, and was never in reach.
    """
    source.refresh()
    mistakes = Mistakes(lambda _: None, log)
    while not stop.is_set():
        try:
            tree = source.tree()
            found = load(tree)
        except InvalidInput as error:
            followed = tree_in_force(source, store.fleet.current())
            if followed is not None:
                with suppress(InvalidInput):
                    return load(followed)
            mistakes.found("\n".join(map(str, error.problems)), "")
        else:
            mistakes.none(str(tree.revision))
            return found
        _wait(source)
    return None


def _wait(source: Source) -> None:
    """Until something changes, or a sweep is due."""
    for _ in range(int(SWEEP_SECONDS / TURN_SECONDS)):
        if source.wait(TURN_SECONDS):
            return
