"""An agent comes to a host and goes: on a host in memory."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.errors import HostFailed, ReconcilerError, Refused, Unavailable
from reconciler.model.desired import Statement
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys
from tests.fakes.machine import ENROLLED_KEY, FakeMachine
from tests.unit.enrolment.scene import (
    ENVIRONMENT,
    KEYS,
    OTHER,
    TRUSTED,
    Scene,
)


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
