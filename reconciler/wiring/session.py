"""Builds and joins what a command on the ops server uses: it opens a session and takes what it needs of it.

Each part is loaded when it is built: libraries are most of what a command costs, and hosts can be dialed before.
"""

from __future__ import annotations

import enum
import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeVar

from reconciler.clock import Clock, SystemClock, chance
from reconciler.settings import Settings
from reconciler.wiring.ground import Ground

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reconciler.enrolment.enroll import Enrolment
    from reconciler.loops.controlling.asking import Asking
    from reconciler.loops.controlling.controller import Controller
    from reconciler.loops.controlling.given import Given
    from reconciler.loops.controlling.one_shot import OneShot
    from reconciler.loops.controlling.planning import Planning, Situation
    from reconciler.loops.converging.executor import Executor
    from reconciler.loops.converging.outcome import Listener
    from reconciler.loops.hosts.known_secrets import KnownSecrets
    from reconciler.loops.hosts.sealing import Sealing
    from reconciler.loops.running.run_crew import RunCrew, Told
    from reconciler.loops.running.submitting import Submitter
    from reconciler.model.manifests import Manifests
    from reconciler.model.tree import Tree
    from reconciler.model.work import Lease
    from reconciler.planner.compose import Composer
    from reconciler.source.key_lists import KeyLists
    from reconciler.store import FleetState, Store
    from reconciler.trust import Masker, Signed, Signer, TrustedKeys
    from reconciler.wiring.in_force import InForce


_Seen = TypeVar("_Seen")


class Access(enum.Enum):
    """What a command needs of the store and the signing key."""

    NONE = "none"
    """Neither: `validate`, `plan --against`."""
    READ = "read"
    """A dry run: reads Redis where there is one, uses a key where there is one."""
    WRITE = "write"
    """Changes something: makes store and key where there are none. A key that the fleet had is not made again."""


@contextmanager
def open_session(
    settings: Settings,
    access: Access,
    clock: Clock | None = None,
    ahead: Callable[[Session], None] | None = None,
) -> Iterator[Session]:
    """The joined objects of one command, closed at its end.

    Args:
        settings: of this process.
        access: what the command needs.
        clock: where time comes from.
        ahead: what to do before the store is opened, which takes a while and leaves something behind.

    Raises:
        Unavailable: Redis cannot be reached or cannot serve.
        InvalidInput: the state directory, the key, the URL or the server's set-up is wrong.
        Refused: the fleet's key is lost.
    """
    clock = clock or SystemClock()
    with ExitStack() as closing:
        session = Session(settings=settings, clock=clock, access=access, closing=closing)
        if ahead:
            session.loader.get_ready()
        if access is not Access.NONE:
            from reconciler.source.state import check_state_dir

            check_state_dir(settings.state_dir)
        if ahead:
            ahead(session)
        if session.opened:
            _ = session.signer  # whatever is wrong is told now
        yield session


@dataclass(frozen=True, kw_only=True)
class Session(Ground):
    """Everything that one command may use."""

    access: Access

    @cached_property
    def opened(self) -> Store | None:
        """None with `Access.NONE`; raises as `open_session`."""
        if self.access is Access.NONE:
            return None
        if "_opening" in vars(self):
            return self._opening.result()
        return self.closing.enter_context(self._open())

    def open_ahead(self) -> None:
        """Begin to open the store beside what is done next; `opened` waits for it, and tells what is wrong."""
        if self.access is not Access.NONE:
            _ = self._opening

    def get_ready_to_work(self) -> None:
        """Load what plans, signs and works on hosts, and begin to open a store that needs no start."""
        if self.settings.redis_url:
            self.open_ahead()
        from reconciler.loops.controlling import controller, one_shot, planning  # noqa: F401 - whose parts use them
        from reconciler.loops.converging import executor  # noqa: F401
        from reconciler.store import opening  # noqa: F401

    @cached_property
    def _opening(self) -> Future[Store]:
        from concurrent.futures import ThreadPoolExecutor

        opened = self.closing.enter_context(ExitStack())
        thread = self.closing.enter_context(ThreadPoolExecutor(1, "store"))
        return thread.submit(lambda: opened.enter_context(self._open()))

    def _open(self) -> Store:
        from reconciler.source.state import prepare_state_dir
        from reconciler.store import open_store

        if self.access is Access.WRITE:
            prepare_state_dir(self.settings.state_dir)
        return open_store(self.settings, read_only=self.access is Access.READ, clock=self.clock)

    @cached_property
    def signer(self) -> Signer | None:
        """None with `Access.NONE`, or where a command that only reads finds no key."""
        from reconciler.source.keys import load_key
        from reconciler.trust import Signer

        if self.access is Access.NONE:
            return None
        seed = load_key(self.settings.state_dir)
        if seed is None and self.access is Access.WRITE:
            from reconciler.loops.controlling.signing_key import signing_seed

            seed = signing_seed(self.settings.state_dir, self.store)
        return Signer(seed) if seed else None

    @property
    def store(self) -> Store:
        """The store of a session that has one."""
        if self.opened is None:
            raise LookupError("this session was opened without a store")
        return self.opened

    @property
    def followed(self) -> InForce:
        """The files that the fleet is to follow; raises as `tree`, and loading them tells all of their mistakes."""
        from reconciler.wiring.in_force import followed

        return followed(self, self._fleet_state)

    def in_force(self, look: Callable[[Tree], _Seen]) -> tuple[InForce, _Seen]:
        """The same, but while a look at these finds mistakes, those of a commit that has none; with what it gives.

        For who needs the hosts now. The look is `sound_manifests`, or `Planning.survey`, which has mistakes of its own
        where a template cannot do with what hosts say of themselves.
        """
        from reconciler.wiring.in_force import in_force

        return in_force(self, self._fleet_state, look)

    def _fleet_state(self) -> FleetState | None:
        return self.opened.fleet.current() if self.opened else None

    @property
    def who(self) -> str:
        """Who does it, for history and leases."""
        return f"{os.environ.get('SUDO_USER') or _login()}@{self.settings.holder}"

    @cached_property
    def holder(self) -> str:
        """The name under which this process takes leases."""
        return f"{self.settings.holder} (pid {os.getpid()})"

    @cached_property
    def composer(self) -> Composer:
        from reconciler.planner.compose import Composer

        return Composer()

    @cached_property
    def masker(self) -> Masker:
        from reconciler.trust import Masker

        return Masker()

    @cached_property
    def secrets(self) -> KnownSecrets:
        from reconciler.loops.hosts.known_secrets import KnownSecrets
        from reconciler.source.secret_values import SecretProviders

        key = self.signer.fingerprint_key() if self.signer else None
        return KnownSecrets(SecretProviders(self.settings, self.masker), key)

    @cached_property
    def planning(self) -> Planning:
        from reconciler.loops.controlling.planning import Planning

        return Planning(
            store=self.opened,
            loader=self.loader,
            composer=self.composer,
            reach=self.reach,
            secrets=self.secrets,
            clock=self.clock,
        )

    def asking(self, tell: Callable[[str], None]) -> Asking:
        """The way to control."""
        from reconciler.loops.controlling.asking import Asking

        return Asking(self.store, self.clock, self.holder, self.who, tell)

    @contextmanager
    def controlled(self, lease: Lease) -> Iterator[None]:
        """Keep the control lease while the block runs, then let go of it."""
        from reconciler.loops.controlling.control import LEASE_SECONDS, RENEW_SECONDS
        from reconciler.loops.keeper import Keeper

        leases = self.store.leases
        try:
            with Keeper(lambda: leases.renew(lease, LEASE_SECONDS), RENEW_SECONDS):
                yield
        finally:
            leases.release(lease)

    def controller(self, fleet: str) -> Controller:
        """Signs and writes for this fleet."""
        from reconciler.loops.controlling.controller import Controller

        if self.signer is None:
            raise LookupError("this session was opened without a key")
        lists = _versions(self.key_lists)
        return Controller(fleet, self.store, self.signer, self._trusted, self._sealing, self._agents, lists, self.clock)

    def executor(self, fleet: str, listener: Listener | None = None) -> Executor:
        """Works on the hosts within reach."""
        from reconciler.loops.converging.executor import Executor
        from reconciler.loops.converging.outcome import Nobody

        return Executor(
            fleet=fleet,
            store=self.store,
            reach=self.reach.open,
            crew=self.crew,
            renderer=self.composer.renderer,
            secrets=self.secrets,
            masker=self.masker,
            trusted=lambda: self._trusted,
            holder=self.holder,
            clock=self.clock,
            listener=listener or Nobody(),
            lease_seconds=self.settings.lease_seconds,
        )

    def run_crew(self, fleet: str, told: Told) -> RunCrew:
        """Carries out runs of jobs on the hosts within reach; ended with the session."""
        from reconciler.loops.running.lock_grants import grant_locks
        from reconciler.loops.running.run_crew import RunCrew
        from reconciler.loops.running.run_executor import RunExecutor

        executor = RunExecutor(
            fleet=fleet,
            store=self.store,
            reach=self.reach.open,
            renderer=self.composer.renderer,
            secrets=self.secrets,
            masker=self.masker,
            trusted=lambda: self._trusted,
            holder=self.holder,
            clock=self.clock,
            chance=chance,
            lease_seconds=self.settings.lease_seconds,
        )
        crew = RunCrew(
            executor, self.store, self.clock, told, lambda: grant_locks(self.store, self.clock, self._agents())
        )
        self.closing.callback(crew.close)
        return crew

    def submitter(self, fleet: str) -> Submitter:
        """Signs runs of jobs and makes them due."""
        from reconciler.loops.running.submitting import Submitter

        if self.signer is None:
            raise LookupError("this session was opened without a key")
        return Submitter(fleet, self.store, self.signer, self._trusted, self._sealing, self._agents, self.clock)

    def one_shot(self, situation: Situation, listener: Listener, tell: Callable[[str], None]) -> OneShot:
        """A controller and an executor that carry out one plan."""
        from reconciler.loops.controlling.one_shot import OneShot

        fleet = situation.manifests.fleet.metadata.name
        executor = self.executor(fleet, listener)
        return OneShot(self.store, self.controller(fleet), executor, self.planning, self.given, self.clock, tell)

    def enrolment(self, manifests: Manifests, tell: Callable[[str], None]) -> Enrolment:
        """Installs and removes agents of these hosts."""
        from secrets import token_urlsafe

        from reconciler.enrolment.enroll import Enrolment
        from reconciler.enrolment.release import Release
        from reconciler.enrolment.wheelhouse import Wheelhouse

        return Enrolment(
            reach=self.reach.machine,
            users=self.store.users,
            fleet=manifests.fleet.metadata.name,
            keys=self._trusted,
            statements=lambda: self.store.desired.statements(manifests.hosts),
            redis_url=self.settings.redis_url,
            release=lru_cache(1)(Release.running),
            wheelhouse=Wheelhouse(self.settings.cache_dir),
            heard=lambda host: self.store.observed.ages([host])[host],
            clock=self.clock,
            new_password=lambda: token_urlsafe(32),
            tell=tell,
        )

    @property
    def _sealing(self) -> Sealing:
        from reconciler.loops.hosts.sealing import Sealing

        return Sealing(self.reach.sealing_key, self.secrets.resolve)

    @property
    def given(self) -> Given:
        """What agents are given."""
        from reconciler.loops.controlling.given import Given

        return Given(self.store, self._agents, self.clock)

    def _agents(self) -> frozenset[str]:
        return self.reach.agents

    @cached_property
    def key_lists(self) -> KeyLists:
        """The keys that hosts are to trust, and how they came to be trusted."""
        from reconciler.source.key_lists import load_key_lists

        if self.signer is None:
            raise LookupError("this session was opened without a key")
        return load_key_lists(self.settings.state_dir, self.signer.public)

    def change_keys(self, fleet: str, keys: TrustedKeys) -> None:
        """Sign another list of keys with the present one, keep it, and let agents have it.

        Raises:
            Refused: the present key may not, or somebody controls the fleet with what it knows of keys.
        """
        from reconciler.source.key_lists import save_key_lists

        if self.signer is None:
            raise LookupError("this session was opened without a key")
        lists = self.key_lists.after(self.signer.sign_keys(keys, fleet=fleet), fleet)
        save_key_lists(self.settings.state_dir, lists, fleet)
        self.store.key_lists.publish(sorted(self.reach.agents), _versions(lists))

    @property
    def _trusted(self) -> TrustedKeys:
        return self.key_lists.current


def _versions(lists: KeyLists) -> Sequence[tuple[int, Signed]]:
    from reconciler.trust import version_of

    return [(version_of(signed), signed) for signed in lists.signed]


def _login() -> str:
    """The user's name, or number where no name belongs to it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
