"""An agent comes to a host, is upgraded, and goes: on a host in memory, cut off at every step."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.enrolment.enroll import Enrolled, Enrolment
from reconciler.enrolment.lock import requirements
from reconciler.enrolment.own_wheel import Wheel
from reconciler.enrolment.probe import Platform
from reconciler.enrolment.release import Release
from reconciler.enrolment.wheelhouse import Wheelhouse
from reconciler.errors import HostFailed, InvalidInput, Place, ReconcilerError, Refused, Unavailable
from reconciler.model.desired import SignedStatement, Statement
from reconciler.resources.machine.system import Completed
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys
from tests.fakes.clock import FakeClock
from tests.fakes.machine import ENROLLED_KEY, CutOff, FakeMachine

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


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_enrolled_host_runs_the_agent_with_a_user_of_its_own(scene: Scene) -> None:
    enrolled = scene.enroll()
    told = scene.machine.files[ENVIRONMENT].decode()
    assert enrolled.sealing_key == ENROLLED_KEY
    assert 'RECONCILER_REDIS_URL="redis://reconciler-web-1:unguessable@10.0.0.1:6379/0"' in told
    assert "operator" not in told
    assert scene.machine.modes[ENVIRONMENT] == 0o600
    assert TrustedKeys.from_json(json.loads(scene.machine.files[TRUSTED])) == KEYS
    assert scene.machine.started_with == scene.machine.started_from
    assert scene.machine.enabled


def test_redis_gets_the_fingerprint_of_the_password_only(scene: Scene) -> None:
    scene.enroll()
    assert "unguessable" not in repr(scene.users)


def test_a_second_enrolment_changes_nothing_and_keeps_the_password(scene: Scene) -> None:
    scene.enroll()
    files, starts = dict(scene.machine.files), scene.machine.starts
    assert scene.enroll().changes == []
    assert (scene.machine.files, scene.machine.starts) == (files, starts)


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


def test_an_enrolment_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    whole = Scene()
    whole.enroll()
    scenes = cut_off_everywhere(Scene.enroll, lambda _: None)
    assert len(scenes) > 20
    for scene in scenes:
        assert scene.machine.files == whole.machine.files
        assert scene.machine.links == whole.machine.links
        assert scene.machine.started_with == scene.machine.started_from
        assert scene.enroll().changes == []


def test_an_upgrade_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    def enrolled(scene: Scene) -> None:
        scene.enroll()
        scene.release = NEW

    for scene in cut_off_everywhere(lambda scene: scene.enrolment.upgrade("web-1"), enrolled):
        assert scene.machine.links[CURRENT] == f"versions/{scene.enrolment.upgrade('web-1').version}"
        assert scene.machine.started_with == scene.machine.started_from
        assert scene.enrolment.upgrade("web-1").changes == []


def test_a_removal_that_was_cut_off_anywhere_is_completed_by_the_next() -> None:
    for scene in cut_off_everywhere(lambda scene: scene.enrolment.remove("web-1", purge=True), Scene.enroll):
        assert scene.machine.paths() == set()
        assert (scene.machine.enabled, scene.machine.started_with, scene.users.passwords) == (False, None, {})
        assert scene.enrolment.remove("web-1", purge=True) == []


def test_a_host_that_is_lost_has_no_access_to_redis_any_more(scene: Scene) -> None:
    scene.enroll()
    scene.lost = True
    with pytest.raises(Unavailable):
        scene.enrolment.remove("web-1")
    assert scene.users.passwords == {}
    assert "has no access any more" in scene.told[-1]


def test_a_removal_leaves_the_ledger_and_the_backups(scene: Scene) -> None:
    scene.enroll()
    scene.machine.files["/var/lib/reconciler/ledger.json"] = b"{}"
    scene.enrolment.remove("web-1")
    assert scene.machine.paths() == {"/var/lib/reconciler/ledger.json"}


def test_a_removal_leaves_what_others_keep_in_the_same_places(scene: Scene) -> None:
    scene.enroll()
    others = {"/opt/reconciler/pyproject.toml": b"", "/etc/reconciler/webapp_mysql_pass": b""}
    scene.machine.files |= others
    scene.enrolment.remove("web-1", purge=True)
    assert scene.machine.paths() == set(others)


def test_an_upgrade_keeps_the_version_before_and_no_older_one(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    second = scene.enrolment.upgrade("web-1").version
    assert scene.enrolment.upgrade("web-1").changes == []
    assert sorted(scene.versions) == sorted([first, second])
    scene.release = Release(Wheel("reconciler-0.1.0-py3-none-any.whl", b"newest"), requirements())
    third = scene.enrolment.upgrade("web-1").version
    assert sorted(scene.versions) == sorted([second, third])


def refusing_all_but(scene: Scene, version: str) -> FakeMachine:
    """The scene's machine, on which only this version starts."""

    class Picky(FakeMachine):
        def _systemctl(self, *words: str) -> Completed:
            ended = super()._systemctl(*words)
            refused = words[0] == "restart" and version not in self.links[CURRENT]
            return replace(ended, code=1) if refused else ended

    return Picky(**vars(scene.machine))


def test_a_version_that_does_not_start_is_taken_back(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    scene.machine = refusing_all_but(scene, first)
    with pytest.raises(HostFailed, match=rf"agent: no\. It went back to {first}, which is at work"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"
    assert scene.machine.started_with == scene.machine.started_from


def test_a_version_that_does_not_start_is_taken_back_also_after_a_run_that_was_cut_off() -> None:
    firsts = {}

    def enrolled(scene: Scene) -> None:
        firsts[id(scene)] = scene.enroll().version
        scene.release = NEW
        scene.machine = refusing_all_but(scene, firsts[id(scene)])

    def upgraded(scene: Scene) -> None:
        with pytest.raises(HostFailed, match="It went back to"):
            scene.enrolment.upgrade("web-1")

    for scene in cut_off_everywhere(upgraded, enrolled):
        assert scene.machine.links[CURRENT] == f"versions/{firsts[id(scene)]}"
        assert scene.machine.started_with == scene.machine.started_from


def test_an_agent_that_starts_and_is_not_heard_of_is_taken_back_too(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release, scene.silent = NEW, True
    with pytest.raises(HostFailed, match=r"Redis has not heard from it for 30 s\. Its log: agent: no\. It went back"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"


def test_a_silent_agent_is_told_by_a_second_enrolment_too(scene: Scene) -> None:
    scene.silent = True
    for _ in range(2):
        with pytest.raises(HostFailed, match="Redis has not heard from it"):
            scene.enroll()


def test_nothing_is_switched_where_the_new_version_could_not_work(scene: Scene) -> None:
    first = scene.enroll().version
    scene.release = NEW
    scene.machine.complaints["--check"] = "error: Redis cannot be reached"
    with pytest.raises(HostFailed, match="Redis cannot be reached"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.links[CURRENT] == f"versions/{first}"


def test_an_agent_is_not_stopped_while_it_applies(scene: Scene) -> None:
    scene.enroll()
    scene.machine.files["/var/lib/reconciler/lock"] = b""
    scene.machine.applying = True
    started_with, scene.release = scene.machine.started_with, NEW
    with pytest.raises(HostFailed, match=r"being applied or installed there for more than 600 s\. Run it again later"):
        scene.enrolment.remove("web-1")
    with pytest.raises(HostFailed, match="being applied or installed"):
        scene.enrolment.upgrade("web-1")
    assert scene.machine.started_with == started_with

    scene.machine.applying = False
    scene.enrolment.upgrade("web-1")
    assert scene.machine.started_with == scene.machine.started_from


def test_only_an_enrolled_host_is_upgraded(scene: Scene) -> None:
    with pytest.raises(Refused, match=r"it has no agent\. Bring one: reconcile hosts enroll web-1"):
        scene.enrolment.upgrade("web-1")


@pytest.mark.parametrize("there", [replace(KEYS, version=7), TrustedKeys.of(3, [OTHER])])
def test_the_list_of_trusted_keys_is_the_one_of_the_ops_server_whatever_was_there(
    scene: Scene, there: TrustedKeys
) -> None:
    scene.enroll()
    scene.machine.files[TRUSTED] = json.dumps(there.to_json()).encode()
    scene.enroll()
    assert TrustedKeys.from_json(json.loads(scene.machine.files[TRUSTED])) == KEYS


def test_a_list_that_the_agent_wrote_itself_counts_by_what_it_says(scene: Scene) -> None:
    scene.enroll()
    scene.machine.files[TRUSTED] = json.dumps(KEYS.to_json()).encode()
    assert "delivered the list of trusted keys" not in scene.enroll().changes


def test_a_machine_with_another_key_than_the_fleets_enrolls_nobody(scene: Scene) -> None:
    other = Signer(bytes([9] * 32))
    statement = Statement("shop", "web-2", 1, "main@1a2b3c4", {}, {}, other.key_id)
    scene.statements = {"web-2": other.sign(statement)}
    with pytest.raises(Refused, match=r"signed for with another key .* Enroll on the ops server"):
        scene.enroll()
    assert scene.machine.paths() == set()

    scene.keys = TrustedKeys.of(1, [TrustedKey(other.public, frozenset(Permission))])
    scene.enroll()


def test_a_host_stays_with_the_redis_that_it_was_told_until_another_is_named(scene: Scene) -> None:
    scene.enroll(redis_url="rediss://redis.example:6380")
    scene.enroll()
    assert b"@redis.example:6380" in scene.machine.files[ENVIRONMENT]
    scene.enroll(redis_url="redis://10.0.0.9:6379")
    assert b"@10.0.0.9:6379" in scene.machine.files[ENVIRONMENT]


def test_libraries_are_sent_unless_the_host_fetches_them_itself(scene: Scene) -> None:
    scene.enroll()
    scene.machine = FakeMachine()
    scene.enroll(online=True)
    (sent, platform), (fetched, anywhere) = scene.wheelhouse.asked
    assert "redis==" in sent
    assert platform is not None
    assert "redis==" not in fetched
    assert anywhere is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (None, "the fleet's Redis is the embedded one"),
        ("unix:///run/redis.sock", "a socket on this machine"),
        ("redis://127.0.0.1:6379", "127.0.0.1:6379 means each host itself"),
        ("redis://:secret@[::1]:6379/0", r"\[::1\]:6379 means each host itself"),
        ("redis+sentinel://10.0.0.1,localhost/main", "means each host itself"),
        ("http://10.0.0.1", "no URL of Redis"),
        ('redis://10.0.0.1/0?x="', "no URL of Redis"),
    ],
)
def test_a_redis_that_no_host_can_reach_is_refused_before_anything_is_done(
    scene: Scene, url: str | None, says: str
) -> None:
    scene.redis_url = url
    with pytest.raises(ReconcilerError, match=says):
        scene.enroll()
    assert scene.machine.paths() == set()


@pytest.mark.parametrize(
    ("unfit", "says"),
    [
        ({"python": (3, 9, 2)}, "its newest python3 is 3.9, an agent needs 3.11"),
        ({"uid": 1000}, "installed by root. Log in as root .* connection.become: true"),
        ({"systemd": False}, "systemd is not running there"),
        ({"free_bytes": 50 << 20}, "50 MB are free below /opt, an agent needs 100"),
    ],
)
def test_a_host_where_no_agent_can_live_is_told_why_and_left_alone(
    scene: Scene, unfit: dict[str, object], says: str
) -> None:
    scene.machine = FakeMachine(**unfit)  # type: ignore[arg-type] # any of its fields
    with pytest.raises(Refused, match=says):
        scene.enroll()
    assert scene.machine.paths() == set()


def test_who_may_not_make_redis_users_gets_the_command_and_goes_on_once_it_was_run(scene: Scene) -> None:
    scene.users.denied = True
    scene.machine.complaints["--check"] = "error: WRONGPASS"
    with pytest.raises(Refused, match=r"ACL SETUSER reconciler-web-1 #[0-9a-f]{64}"):
        scene.enroll()
    assert scene.machine.started_with is None

    scene.machine.complaints.clear()
    scene.enroll()
    assert scene.machine.started_with == scene.machine.started_from


def test_who_may_not_remove_redis_users_is_told_what_is_left_to_do(scene: Scene) -> None:
    scene.enroll()
    scene.users.denied = True
    assert scene.enrolment.remove("web-1") != []
    assert "ACL DELUSER reconciler-web-1" in scene.told[-1]


def test_a_user_that_redis_will_forget_is_warned_of_once(scene: Scene) -> None:
    scene.enroll()
    scene.enroll()
    assert [line for line in scene.told if "gone after a restart" in line] == ["warning: it is gone after a restart"]


def test_what_pip_says_is_told(scene: Scene) -> None:
    scene.machine.complaints["--require-hashes"] = "ERROR: No space left on device"
    with pytest.raises(HostFailed, match="python failed: No space left on device"):
        scene.enroll()
