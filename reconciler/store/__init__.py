"""The only room that speaks Redis. `open_store` is its door; the modules beside it hold one part of the store each.

Importing this package imports no redis, which takes 0.2 s: only opening a store does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from reconciler.clock import Clock, SystemClock
from reconciler.errors import InvalidInput, Problem
from reconciler.settings import Settings
from reconciler.store.alerts import OWN, Alerts, Sweep
from reconciler.store.deliveries import Deliveries
from reconciler.store.desired import DesiredState, HostDesired, HostWrite
from reconciler.store.fleet import Answer, FleetRecords, FleetState, ReconcileRequest
from reconciler.store.journal import Journal, JournalEvent
from reconciler.store.key_lists import KeyListRecords
from reconciler.store.keys import Keys
from reconciler.store.leases import CONTROL, Leases, host_lease
from reconciler.store.link import Link
from reconciler.store.locks import NamedLocks, Waiter
from reconciler.store.looks import ASK_SECONDS, Look, Looks
from reconciler.store.metrics import FULL_SHARE, HostSample, Latest, MetricRecords, RollUp, Written
from reconciler.store.monitoring import MonitoringRecords
from reconciler.store.observed import ObservedState
from reconciler.store.outbox import Outbox
from reconciler.store.reading import Reading
from reconciler.store.schedules import ScheduleRecords
from reconciler.store.told import ToldRecords
from reconciler.store.users import Nodes, Users
from reconciler.store.work import Finish, WorkQueue

__all__ = [
    "ASK_SECONDS",
    "CONTROL",
    "FULL_SHARE",
    "OWN",
    "Answer",
    "Finish",
    "FleetState",
    "HostDesired",
    "HostSample",
    "HostWrite",
    "JournalEvent",
    "Latest",
    "Look",
    "ReconcileRequest",
    "RollUp",
    "Store",
    "Sweep",
    "Waiter",
    "Written",
    "host_lease",
    "open_as_host",
    "open_store",
    "open_temporary",
]


class Server(Link, Nodes, Protocol):
    """Where commands go."""

    @property
    def interruptions(self) -> int: ...


class Opened(Protocol):
    """A way to a server that was opened, and what closing it takes."""

    @property
    def link(self) -> Server: ...

    @property
    def problems(self) -> Sequence[Problem]: ...

    def check(self, *, writing: bool = False) -> None: ...

    def check_functions(self) -> str: ...

    def close(self) -> None: ...


class Store:
    """Everything that is kept in Redis, one part a member. A context manager; leaving it closes the connections."""

    def __init__(
        self,
        opened: Opened,
        keys: Keys | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
        *,
        temporary: bool = False,
    ) -> None:
        keys = keys or Keys()
        self.temporary = temporary
        """Whether it is empty and vanishes when it is closed, since there is none yet."""
        self._opened = opened
        self._reading = reading = Reading(opened.link)
        self._told: set[Problem] = set()
        self.desired = DesiredState(opened.link, keys, reading)
        self.observed = ObservedState(opened.link, keys, reading)
        self.work = WorkQueue(opened.link, keys, reading)
        self.locks = NamedLocks(opened.link, keys, reading)
        self.leases = Leases(opened.link, keys, reading, entropy)
        self.journal = Journal(keys, reading)
        self.fleet = FleetRecords(opened.link, keys, reading)
        self.looks = Looks(opened.link, keys, reading)
        self.key_lists = KeyListRecords(keys, reading)
        self.metrics = MetricRecords(opened.link, opened.link, keys, reading)
        self.monitoring = MonitoringRecords(opened.link, keys, reading)
        self.alerts = Alerts(opened.link, keys, reading)
        self.told = ToldRecords(opened.link, keys, reading)
        self.outbox = Outbox(opened.link, keys, reading)
        self.deliveries = Deliveries(opened.link, keys, reading)
        self.schedules = ScheduleRecords(opened.link, keys, reading)
        self.users = Users(opened.link, keys)

    @property
    def problems(self) -> Sequence[Problem]:
        """What people should know although the store could be opened, and which records counted as absent since."""
        return (*self._opened.problems, *self._reading.problems)

    @property
    def interruptions(self) -> int:
        """How often the connection was lost, or keys had moved to another server, so far.

        A number that has grown means that what was written before may not be there any more.
        """
        return self._opened.link.interruptions

    def untold(self) -> Sequence[Problem]:
        """Those of `problems` that nobody has taken from here yet."""
        new = [problem for problem in self.problems if problem not in self._told]
        self._told.update(new)
        return new

    def check(self, *, writing: bool = False) -> None:
        """Raise where the server cannot hold the store: too old, full, a replica, evicting keys.

        Args:
            writing: judge as for writing, also where the store was opened to read only.
        """
        self._opened.check(writing=writing)

    def check_functions(self) -> str:
        """What is odd about the functions on the server, for who may not load them; empty: nothing.

        Raises:
            Unavailable: there are none, or the server cannot be reached.
            InvalidInput: the server does not let us in.
        """
        return self._opened.check_functions()

    def close(self) -> None:
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(settings: Settings, *, read_only: bool = False, clock: Clock | None = None) -> Store:
    """The store by URL, or the embedded server's. To only read where no embedded store was ever made, a temporary one.

    Raises:
        Unavailable: the server cannot be reached or cannot serve.
        InvalidInput: the URL, the password, the version or a setting of the server is wrong.
    """
    from reconciler.store import opening  # noqa: PLC0415 - imports redis

    clock = clock or SystemClock()
    if settings.redis_url:
        password = _password(settings)
        return Store(opening.at_url(settings.redis_url, clock, password=password, read_only=read_only))
    directory = settings.state_dir / "store"
    if read_only and not directory.exists():
        return open_temporary(settings.runtime_dir, clock)
    return Store(opening.embedded(directory, settings.runtime_dir, clock, read_only=read_only))


def open_as_host(settings: Settings, clock: Clock) -> Store:
    """The store as an agent has it: its user works in the slot of its own host and loads nothing. Asks nothing yet.

    Raises:
        Unavailable: no node of a cluster can be reached.
        InvalidInput: there is no URL, or one that we do not know; the password cannot be read.
    """
    from reconciler.store import opening  # noqa: PLC0415 - imports redis

    if not settings.redis_url:
        raise InvalidInput.of("no-redis-url", "RECONCILER_REDIS_URL is not set", hint="It names the fleet's Redis.")
    return Store(opening.as_host(settings.redis_url, clock, password=_password(settings)))


def _password(settings: Settings) -> str | None:
    file = settings.redis_password_file
    if file is None:
        return None
    try:
        return file.read_text().strip()
    except (OSError, ValueError) as error:
        raise InvalidInput.of("redis-denied", f"the password in {file} cannot be read: {error}") from None


def open_temporary(runtime_dir: Path, clock: Clock | None = None) -> Store:
    """An empty store of its own that vanishes when it is closed; for a dry run where there is none."""
    from reconciler.store import opening  # noqa: PLC0415 - imports redis

    return Store(opening.temporary(runtime_dir, clock or SystemClock()), temporary=True)
