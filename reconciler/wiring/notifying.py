"""Builds what sends notifications, for a watch and for `doctor`. The libraries that speak to services load here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reconciler.clock import Clock
from reconciler.loops.log import Log
from reconciler.loops.monitoring.dead_man import DeadMan
from reconciler.loops.monitoring.notifier import Notifier, OpenUrl, Resolve
from reconciler.loops.monitoring.notifying import Notifying
from reconciler.notify.services import per_minute
from reconciler.notify.urls import Opener, call
from reconciler.settings import Settings
from reconciler.source.secret_values import SecretProviders
from reconciler.store import Store
from reconciler.trust import Masker


class _Unheard:
    """A log that nobody reads."""

    def info(self, event: str, **values: object) -> None:
        """Nothing."""


def opening(settings: Settings, masker: Masker, clock: Clock) -> tuple[Callable[[str], OpenUrl], Resolve]:
    """What opens URLs and what finds secrets, for `doctor`."""
    return Opener(settings.state_dir, clock, _Unheard()).open, SecretProviders(settings, masker).resolve


def notifying(store: Store, settings: Settings, masker: Masker, clock: Clock, log: Log) -> Notifying:
    """The notifier and the dead man's switch of a watch."""
    resolve = SecretProviders(settings, masker).resolve
    open_url = Opener(settings.state_dir, clock, log).open
    notifier = Notifier(store, open_url, per_minute=per_minute, resolve=resolve, clock=clock, log=log)
    return Notifying(notifier, DeadMan(partial(call, clock=clock), resolve, clock, log), clock, log)
