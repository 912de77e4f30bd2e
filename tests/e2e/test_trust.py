"""What someone who can write to Redis, or holds the Redis user of one host, does not get: anything of another host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import redis

from reconciler.model.work import RUN, Lane, Work, WorkState
from reconciler.settings import load
from reconciler.store import Store, open_store
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys
from tests.e2e.fleet import Fleet
from tests.e2e.ops import FLEET, Ops
from tests.e2e.redis import serving
from tests.e2e.wheels import cached_wheels
from tests.waiting import until

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: greeting}
spec:
  hosts: role=web
  resources:
    - file: {path: /etc/greeting, content: "Hello from {{ host.name }}\\n"}
"""
STRANGER = Signer(b"s" * 32)
FORBIDDEN = {
    "read another host": ("HGETALL", "rc:{web-2}:desired"),
    "write to another host": ("HSET", "rc:{web-2}:desired", "statement", "forged"),
    "write to another host by a function": ("FCALL", "reconciler_facts_write", 1, "rc:{web-2}:", "os", "1"),
    "write what control keeps": ("XADD", "rc:{_}:events", "*", "kind", "lie"),
    "run a script": ("EVAL", "return 1", 0),
    "load a function": ("FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('x', function() end)"),
    "list what there is": ("SCAN", "0"),
    "empty the server": ("FLUSHALL",),
}


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Iterator[Ops]:
    """An ops server whose host web-1 has an agent that is at work."""
    with serving(fleet.directory / "trust-redis") as url:
        made = Ops(fleet.directory / "trust-ops", fleet, {"RECONCILER_REDIS_URL": url})
        made.give_wheels(cached_wheels())
        made.write("manifests/fleet.yaml", FLEET)
        made.write("manifests/apps/greeting.yaml", APP)
        made.host(fleet, "web-1", "role: web")
        enrolled = made("hosts", "enroll", "web-1")
        assert enrolled.code == 0, enrolled.out
        made.commit("a host with an agent")
        applied = made("apply", "--yes")
        assert applied.code == 0, applied.out
        yield made
        made("hosts", "enroll", "web-1", "--remove", "--purge")


@pytest.fixture
def store(ops: Ops) -> Iterator[Store]:
    """Redis, as its administrator has it."""
    with open_store(load(ops.root, ops.environment)) as opened:
        yield opened


@pytest.mark.parametrize("command", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_hosts_redis_user_may_not(fleet: Fleet, ops: Ops, command: tuple[str | int, ...]) -> None:
    url = fleet.look("web-1").check_output("sed -n 's/^RECONCILER_REDIS_URL=//p' /etc/reconciler/agent.env")
    with redis.Redis.from_url(url.strip("\"'")) as of_host:
        assert of_host.hgetall("rc:{web-1}:desired"), "it reads what is its own"
        with pytest.raises(redis.exceptions.NoPermissionError):
            of_host.execute_command(*command)


def test_a_forged_statement_is_refused_and_reported(fleet: Fleet, ops: Ops) -> None:
    with redis.Redis.from_url(ops.settings["RECONCILER_REDIS_URL"]) as administrator:
        said = administrator.hget("rc:{web-1}:desired", "statement")
        administrator.hset("rc:{web-1}:desired", "statement", said.replace(b'"greeting"', b'"gretting"'))
    until(lambda: "is not what" in ops("history", "--host", "web-1").out, "the report")
    assert fleet.look("web-1").file("/etc/greeting").content_string == "Hello from web-1\n"
    again = ops("apply", "--yes")
    assert again.code == 0, again.out


def test_an_old_statement_that_is_played_back_brings_nothing_back_and_is_reported(fleet: Fleet, ops: Ops) -> None:
    with redis.Redis.from_url(ops.settings["RECONCILER_REDIS_URL"]) as administrator:
        old = administrator.hgetall("rc:{web-1}:desired")
        ops.replace("manifests/apps/greeting.yaml", "Hello from", "Good day from")
        ops.commit("another greeting")
        assert ops("apply", "--yes").code == 0
        administrator.hset("rc:{web-1}:desired", mapping=old)
    until(lambda: "was applied before" in ops("history", "--host", "web-1").out, "the report")
    assert fleet.look("web-1").file("/etc/greeting").content_string == "Good day from web-1\n"
    again = ops("apply", "--yes")
    assert again.code == 0, again.out


def test_a_forged_run_is_refused_and_reported(fleet: Fleet, ops: Ops, store: Store) -> None:
    ran = ops("run", "--host", "web-1", "--yes", "--command", "--", "touch", "/root/done")
    assert ran.code == 0, ran.out
    fleet.look("web-1").check_output("rm /root/done")  # it was done once
    found = re.search(r"\b01[0-9A-Z]{24}\b", ops("jobs", "list", "-v").out)
    assert found
    genuine = store.work.get("web-1", found[0])
    assert genuine
    body = genuine.args["run"].replace(found[0], "forged")
    forged = Work("forged", "web-1", RUN, {**genuine.args, "run": body}, lane=Lane.SIDE)
    store.work.enqueue([forged], agents={"web-1"})
    until(lambda: (known := store.work.get("web-1", "forged")) and known.state is WorkState.FAILED, "the refusal")
    assert not fleet.look("web-1").file("/root/done").exists
    assert "refused" in ops("history", "--host", "web-1").out


def pinned_version(fleet: Fleet) -> int:
    """Of the list of keys on the host itself."""
    version: int = json.loads(fleet.look("web-1").file("/var/lib/reconciler/keys.json").content_string)["version"]
    return version


def test_a_list_of_keys_that_is_forged_or_played_back_is_refused_and_reported(
    fleet: Fleet, ops: Ops, store: Store
) -> None:
    before = pinned_version(fleet)
    assert ops("keys", "add", STRANGER.public.hex()).code == 0
    assert ops("keys", "remove", STRANGER.key_id).code == 0
    until(lambda: pinned_version(fleet) == before + 2, "the new list")
    old = store.key_lists.read("web-1")[before + 1]
    evil = TrustedKeys.of(99, [TrustedKey(STRANGER.public, frozenset(Permission))])
    store.key_lists.publish(["web-1"], [(99, STRANGER.sign_keys(evil, fleet="e2e"))])
    until(lambda: "which is not trusted here" in ops("history", "--host", "web-1").out, "the report of the forged one")
    store.key_lists.publish(["web-1"], [(99, old)])
    known = f"the key list has version {before + 1}, known is {before + 2}"
    until(lambda: known in ops("history", "--host", "web-1").out, "the report of the old one")
    assert pinned_version(fleet) == before + 2
