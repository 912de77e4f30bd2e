"""The order in which an agent comes to a host, gets a newer version, and goes. Joined by wiring, called by the CLI.

Each step looks first and changes only what differs, so that a second run changes nothing and a run that was cut off is
completed by the next one. Nothing is started that could not work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Protocol

from reconciler.clock import Clock
from reconciler.enrolment.installation import Installation
from reconciler.enrolment.key_delivery import check_key_in_use, delivered
from reconciler.enrolment.layout import REDIS_URL, environment
from reconciler.enrolment.probe import probe
from reconciler.enrolment.redis_access import fingerprint, login_url, password_of, shared_address
from reconciler.enrolment.release import Release
from reconciler.enrolment.wheelhouse import Wheelhouse
from reconciler.errors import HostFailed, InvalidInput, Place, Problem, Refused, Unavailable
from reconciler.model.desired import SignedStatement
from reconciler.resources.values import dataclass
from reconciler.store.acl import user_name
from reconciler.transport import Machine
from reconciler.trust import TrustedKeys

SILENT_SECONDS = 30.0
"""An agent reports every 10 s; one that was not heard for this long does not work."""
_POLL_SECONDS = 0.2


class RedisUsers(Protocol):
    """The Redis user of each host; `password` is a rule such as `#SHA256`.

    Each raises `InvalidInput` (`redis-no-permission`) where our own user may not do that.
    """

    def command(self, host: str, password: str) -> tuple[str, ...]:
        """What an administrator of Redis runs instead of `set`."""
        ...

    def state(self, host: str) -> object:
        """The user as it is, for comparing; None where there is none."""
        ...

    def set(self, host: str, password: str) -> str:
        """Make the user what it should be; why it would be gone after a restart, empty where it would not."""
        ...

    def remove(self, host: str) -> str:
        """Take the user away; returns as `set`."""
        ...


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A host with an agent at work."""

    sealing_key: str
    """The public half, hexadecimal, for the host's manifest."""
    version: str
    changes: Sequence[str]
    """What was done; empty: all of it stood there already."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Installs and removes agents.

    Args:
        reach: opens a host as a machine.
        users: the hosts' users in Redis.
        fleet: whose hosts they are.
        keys: the list of keys to trust.
        statements: what is signed of the fleet's hosts.
        redis_url: where this process finds Redis; None: embedded.
        release: makes what is installed.
        wheelhouse: where the libraries come from.
        heard: seconds since Redis heard from a host; None: never.
        clock: for waiting until it does.
        new_password: makes one that nobody can guess.
        tell: says what takes a while.
    """

    reach: Callable[[str], Machine]
    users: RedisUsers
    fleet: str
    keys: TrustedKeys
    statements: Callable[[], Mapping[str, SignedStatement]]
    redis_url: str | None
    release: Callable[[], Release]
    wheelhouse: Wheelhouse
    heard: Callable[[str], float | None]
    clock: Clock
    new_password: Callable[[], str]
    tell: Callable[[str], None]

    def enroll(self, host: str, *, redis_url: str | None = None, online: bool = False) -> Enrolled:
        """Bring an agent to a host and have it work.

        Args:
            host: its name.
            redis_url: how hosts reach Redis; None: as they were told before, else as this process does.
            online: let the host fetch the libraries itself.

        Raises:
            Refused: an agent cannot live there, hosts cannot reach Redis, its user must be made by hand, or the key of
                this machine is not the fleet's.
            HostFailed: something went wrong on the host; what was done stays, and the next run goes on from there.
            Unavailable: the host, Redis or an index of wheels cannot be reached.
        """
        check_key_in_use(self.statements(), self.keys, self.fleet)
        with closing(self.reach(host)) as machine:
            there = Installation(machine, host)
            known = there.environment().get(REDIS_URL, "")
            address = shared_address(redis_url or known or self.redis_url)
            version, changes = self._installed(there, machine, host, online=online)
            password = password_of(known) or self.new_password()
            told = environment(host, self.fleet, login_url(address, user_name(host), password))
            changes += _named("delivered the list of trusted keys", there.trust(delivered(self.keys, there.keys())))
            changes += _named("told the agent where Redis is", there.tell(told))
            sealing_key = there.sealing_key(version, told)
            changes += self._user(there, host, version)
            there.check(version, told)
            changes += self._started(there, host, version)
            return Enrolled(sealing_key, version, changes)

    def upgrade(self, host: str, *, online: bool = False) -> Enrolled:
        """Bring this version to a host that has an agent; where it does not start there, the old one goes on.

        Raises:
            Refused: the host has no agent; or as `enroll`.
            HostFailed, Unavailable: as `enroll`.
        """
        with closing(self.reach(host)) as machine:
            there = Installation(machine, host)
            told = there.environment()
            if not told or there.current() is None:
                hint = f"Bring one: reconcile hosts enroll {host}"
                raise Refused.of("no-agent", "it has no agent", place=Place(host=host), hint=hint)
            version, changes = self._installed(there, machine, host, online=online)
            sealing_key = there.sealing_key(version, told)
            changes += self._user(there, host, version)
            there.check(version, told)
            changes += self._started(there, host, version)
            return Enrolled(sealing_key, version, changes)

    def remove(self, host: str, *, purge: bool = False) -> Sequence[str]:
        """Take the agent, its keys and its Redis user away; what was removed, empty where there was nothing.

        The user goes first, so that a host that is lost or stolen, and cannot be reached, has no access any more.

        Args:
            host: its name.
            purge: the ledger and the backups too.

        Raises:
            HostFailed, Unavailable: as `enroll`.
        """
        removed = _named(f"the Redis user {user_name(host)}", self._user_removed(host))
        try:
            machine = self.reach(host)
        except Unavailable:
            if removed:
                self.tell(f"{host}: removed {removed[0]} all the same: what is on the host has no access any more")
            raise
        with closing(machine):
            there = Installation(machine, host)
            return [*removed, *_named("the service", there.stop()), *there.clear(purge=purge)]

    def _installed(self, there: Installation, machine: Machine, host: str, *, online: bool) -> tuple[str, list[str]]:
        platform = probe(machine, host)
        release = self.release()
        version = release.name_on(platform)
        if there.has(version):
            return version, []
        self.tell(f"{host}: installing {version} for {platform}")
        wanted, kind = (release.installer, None) if online else (release.fetched, platform)
        there.put(version, release, platform, self.wheelhouse.wheels(wanted, kind), online=online)
        return version, [f"installed {version}"]

    def _user(self, there: Installation, host: str, version: str) -> list[str]:
        """The host's user in Redis; where we may not make it, an administrator has to, and may have."""
        told = there.environment()
        password = f"#{fingerprint(password_of(told[REDIS_URL]))}"
        try:
            before = self.users.state(host)
            kept = self.users.set(host, password)
            changed = self.users.state(host) != before
        except InvalidInput as error:
            self._made_by_hand(there, version, told, error, self.users.command(host, password))
            return []
        if changed and kept:
            self.tell(f"warning: {kept}")
        return _named(f"made the Redis user {user_name(host)}", changed)

    def _made_by_hand(
        self, there: Installation, version: str, told: Mapping[str, str], error: InvalidInput, command: Sequence[str]
    ) -> None:
        """Go on if the agent can work as that user; else say what to run.

        Raises:
            Refused: `redis-user-missing`.
            InvalidInput: the error, if it is another one than a lack of rights.
        """
        if error.problems[0].code != "redis-no-permission":
            raise error
        try:
            there.check(version, told)
        except HostFailed as unfit:
            message = "the agent has no Redis user yet, and ours may not make one"
            hint = f"Let an administrator of Redis run this, then enroll again:\n  {' '.join(command)}"
            raise Refused.of("redis-user-missing", message, place=unfit.problems[0].place, hint=hint) from None

    def _user_removed(self, host: str) -> bool:
        try:
            there = self.users.state(host) is not None
            if there:
                self.users.remove(host)
        except InvalidInput as error:
            if error.problems[0].code != "redis-no-permission":
                raise
            self.tell(f"{error}\nLet an administrator of Redis run: ACL DELUSER {user_name(host)}")
            return False
        return there

    def _started(self, there: Installation, host: str, version: str) -> list[str]:
        """Have the unit run this version; where it does not start and report, the one before is put back."""
        before = there.worked()
        there.switch(version)
        began = self.clock.monotonic()
        try:
            started = there.start()
            if started:
                self._hear(there, host, began)
                there.confirm()
        except HostFailed as error:
            raise self._gone_back(there, error, before if before != version else None) from None
        if before == version:
            return _named("started it", started)
        there.prune((version, before))
        return [f"switched from {before}" if before else "started it"]

    def _hear(self, there: Installation, host: str, since: float) -> None:
        """Wait until the agent has reported to Redis after a moment of the clock.

        Raises:
            HostFailed: `agent-silent`.
        """
        deadline = self.clock.monotonic() + SILENT_SECONDS
        while True:
            age = self.heard(host)
            now = self.clock.monotonic()
            if age is not None and age < now - since:
                return
            if now >= deadline:
                raise there.silent(SILENT_SECONDS)
            self.clock.sleep(_POLL_SECONDS)

    def _gone_back(self, there: Installation, error: HostFailed, before: str | None) -> HostFailed:
        if before is None:
            return error
        there.switch(before)
        problem = error.problems[0]
        if problem.code == "host-busy":  # it was not stopped
            return error
        there.start()
        there.confirm()
        hint = f"It went back to {before}, which is at work."
        return HostFailed(Problem(problem.place, problem.message, hint, problem.code))


def _named(change: str, changed: bool) -> list[str]:  # noqa: FBT001 - reads like a sentence where it is called
    return [change] if changed else []
