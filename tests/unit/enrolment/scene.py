"""A host in memory, the users of a Redis, and whoever enrolls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.enrolment.enroll import Enrolled, Enrolment
from reconciler.enrolment.lock import requirements
from reconciler.enrolment.own_wheel import Wheel
from reconciler.enrolment.probe import Platform
from reconciler.enrolment.release import Release
from reconciler.enrolment.wheelhouse import Wheelhouse
from reconciler.errors import InvalidInput, Place, Unavailable
from reconciler.model.desired import SignedStatement
from reconciler.trust import Permission, TrustedKey, TrustedKeys
from tests.fakes.clock import FakeClock
from tests.fakes.machine import CutOff, FakeMachine

OLD = Release(Wheel("reconciler-0.1.0-py3-none-any.whl", b"old"), requirements())
NEW = Release(Wheel("reconciler-0.1.0-py3-none-any.whl", b"new"), requirements())
KEYS = TrustedKeys.of(1, [TrustedKey(bytes(32), frozenset(Permission))])
OTHER = TrustedKey(bytes([1] * 32), frozenset(Permission))
TRUSTED = "/var/lib/reconciler/keys.json"
CURRENT = "/opt/reconciler/current"
ENVIRONMENT = "/etc/reconciler/agent.env"


@dataclass
class FakeUsers:
    """The users of a Redis server in memory."""

    passwords: dict[str, str] = field(default_factory=dict)
    denied: bool = False

    def command(self, host: str, password: str) -> tuple[str, ...]:
        return ("ACL", "SETUSER", f"reconciler-{host}", password)

    def state(self, host: str) -> object:
        if self.denied:
            raise InvalidInput.of("redis-no-permission", "this user may not do that")
        return self.passwords.get(host)

    def set(self, host: str, password: str) -> str:
        self.passwords[host] = password
        return "it is gone after a restart"

    def remove(self, host: str) -> str:
        del self.passwords[host]
        return ""


class FakeWheelhouse(Wheelhouse):
    """Has whatever is asked for."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.asked: list[tuple[str, Platform | None]] = []

    def wheels(self, wanted: str, platform: Platform | None) -> Sequence[Wheel]:
        self.asked.append((wanted, platform))
        return [Wheel("pip-1-py3-none-any.whl", b"pip")]


@dataclass
class Scene:
    """A host, Redis, and whoever enrolls."""

    machine: FakeMachine = field(default_factory=FakeMachine)
    users: FakeUsers = field(default_factory=FakeUsers)
    wheelhouse: FakeWheelhouse = field(default_factory=FakeWheelhouse)
    release: Release = OLD
    keys: TrustedKeys = KEYS
    statements: dict[str, SignedStatement] = field(default_factory=dict)
    redis_url: str | None = "redis://operator:secret@10.0.0.1:6379/0"
    clock: FakeClock = field(default_factory=lambda: FakeClock(100.0))
    silent: bool = False
    lost: bool = False
    told: list[str] = field(default_factory=list)

    def reach(self, host: str) -> FakeMachine:
        if self.lost:
            raise Unavailable.of("unreachable", "no answer", place=Place(host=host))
        return self.machine

    def heard(self, _: str) -> float | None:
        """An agent reports 2 s after it was started; somebody else did before."""
        reported = self.clock.seconds >= 102.0 and self.machine.started_with and not self.silent
        return 1.0 if reported else self.clock.seconds

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(
            reach=self.reach,
            users=self.users,
            fleet="shop",
            keys=self.keys,
            statements=lambda: self.statements,
            redis_url=self.redis_url,
            release=lambda: self.release,
            wheelhouse=self.wheelhouse,
            heard=self.heard,
            clock=self.clock,
            new_password=lambda: "unguessable",
            tell=self.told.append,
        )

    def enroll(self, *, redis_url: str | None = None, online: bool = False) -> Enrolled:
        return self.enrolment.enroll("web-1", redis_url=redis_url, online=online)

    @property
    def versions(self) -> list[str]:
        return list(self.machine.names("/opt/reconciler/versions"))


def cut_off_everywhere(act: Callable[[Scene], object], prepare: Callable[[Scene], object]) -> list[Scene]:
    """Scenes in which an act was cut off after 0, 1, 2 ... steps, and then done once more to its end."""
    scenes: list[Scene] = []
    while True:
        scene = Scene()
        prepare(scene)
        scene.machine.steps_left = len(scenes)
        try:
            act(scene)
        except CutOff:
            scene.machine.steps_left = None
            act(scene)
            scenes.append(scene)
        else:
            return scenes
