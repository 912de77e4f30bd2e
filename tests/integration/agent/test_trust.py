"""What an agent obeys: what was signed with a key that it trusts, and nothing else in Redis."""

from __future__ import annotations

import shutil
from dataclasses import replace

from reconciler.model.desired import Statement
from reconciler.model.work import converge_mark
from reconciler.source.host_files import write_keys
from reconciler.source.keys import load_or_create_key
from reconciler.store import CONTROL, HostWrite, Look
from reconciler.trust import Permission, Signed, Signer, TrustedKey, TrustedKeys, key_id
from tests.integration.agent.conftest import Edge, Fleet, everywhere
from tests.integration.agent.test_converging import heard
from tests.integration.agent.test_rights import link_of
from tests.waiting import until

STRANGER = Signer(b"x" * 32)


def test_a_forged_statement_is_refused_reported_and_said_anew(fleet: Fleet) -> None:
    edge = converged(fleet)
    with edge.serving():
        said = fleet.store.desired.read("edge-1")
        assert said is not None
        forged = STRANGER.sign(Statement("edges", "edge-1", said.generation + 1, "evil", {}, {}, STRANGER.key_id))
        fleet.store.desired.write(term(fleet), [HostWrite("edge-1", forged, said.generation + 1, said.apps)])
        fleet.store.work.enqueue([converge_mark("edge-1", "hello")], agents={"edge-1"})
        until(lambda: "not trusted here" in fleet.ops("history", "--host", "edge-1").out)
        until(lambda: "refused" in fleet.ops("status", "--host", "edge-1").out)
        assert edge.text("/etc/hello") == "Hello from edge-1\n"
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
        assert fleet.ops("plan", "--host", "edge-1", "--detailed-exitcode").code == 0


def test_secrets_that_someone_else_put_there_are_refused_and_sealed_anew(fleet: Fleet) -> None:
    fleet.ops.replace("manifests/apps/hello.yaml", "greeting: Hello", "greeting: {secret: words/greeting}")
    fleet.ops.write(".reconciler/secrets/words/greeting", "Hello")
    (fleet.ops.root / ".reconciler/secrets/words/greeting").chmod(0o600)
    fleet.ops.commit()
    edge = converged(fleet)
    with edge.serving():
        said = fleet.store.desired.read("edge-1")
        assert said is not None
        write = HostWrite("edge-1", said.signed, said.generation + 1, said.apps, sealed=b"of another")
        fleet.store.desired.write(term(fleet), [write])
        fleet.store.work.enqueue([converge_mark("edge-1", "hello")], agents={"edge-1"})
        until(lambda: "secrets in Redis are not what was signed" in fleet.ops("history", "--host", "edge-1").out)
        assert fleet.ops("secrets", "seal", "--host", "edge-1").code == 0
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
        assert fleet.ops("plan", "--host", "edge-1", "--detailed-exitcode").code == 0


def test_a_host_cannot_have_secrets_sealed_to_itself_that_are_not_its_own(fleet: Fleet) -> None:
    fleet.ops.replace("manifests/apps/hello.yaml", "greeting: Hello", "greeting: {secret: words/greeting}")
    for name in ("greeting", "of-others"):
        fleet.ops.write(f".reconciler/secrets/words/{name}", f"the {name}")
        (fleet.ops.root / f".reconciler/secrets/words/{name}").chmod(0o600)
    fleet.ops.commit()
    edge = converged(fleet)
    said = fleet.store.desired.read("edge-1")
    assert said is not None
    greedy = {"hello": replace(said.apps["hello"], secrets=("words/greeting", "words/of-others"))}
    fleet.store.desired.write(
        term(fleet), [HostWrite("edge-1", said.signed, said.generation, greedy, sealed=said.sealed)]
    )
    assert fleet.ops("secrets", "seal", "--host", "edge-1").code == 0
    again = fleet.store.desired.read("edge-1")
    assert again is not None
    assert again.sealed != said.sealed
    assert b"of-others" not in opened(edge, again.sealed)
    assert b"the greeting" in opened(edge, again.sealed)


def test_a_host_cannot_have_a_secret_sealed_to_itself_by_a_fact_that_looks_like_a_reference(fleet: Fleet) -> None:
    fleet.ops.replace("manifests/apps/hello.yaml", "Hello}", "Hello, word: {secret: words/greeting}}")
    fleet.ops.replace("manifests/apps/hello.yaml", "{{ greeting }}", "{{ greeting }} {{ word }} {{ facts.os }}")
    for name in ("greeting", "of-others"):
        fleet.ops.write(f".reconciler/secrets/words/{name}", f"the {name}")
        (fleet.ops.root / f".reconciler/secrets/words/{name}").chmod(0o600)
    fleet.ops.commit()
    edge = fleet.edges["edge-1"]
    with edge.parts() as parts:
        parts.store.observed.write_facts("edge-1", {**parts.facts(), "os": {"secret": "words/of-others"}})
        link_of(parts.store).send("HSET", "rc:{edge-1}:facts", "seen_at", "1")  # nobody waits for an agent that is gone
    fleet.ops("apply", "--yes", "--host", "edge-1")
    said = fleet.store.desired.read("edge-1")
    assert said is not None
    assert b"the greeting" in opened(edge, said.sealed)
    assert b"of-others" not in opened(edge, said.sealed)


@everywhere
def test_keys_are_added_rotated_and_removed_and_an_agent_that_was_away_follows(fleet: Fleet) -> None:
    edge = converged(fleet)
    assert fleet.ops("keys", "add", STRANGER.public.hex(), "--may", "run").code == 0
    assert fleet.ops("keys", "rotate").code == 0
    assert fleet.ops("keys", "remove", STRANGER.key_id).code == 0
    assert "Version 4." in fleet.ops("keys", "list").out
    assert fleet.ops("doctor").code == 0
    fleet.ops.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    with edge.serving():
        until(lambda: pinned(edge).version == 4)
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
    assert edge.text("/etc/hello") == "Bye from edge-1\n"
    (only,) = pinned(edge).keys.values()
    assert only.may == frozenset(Permission)
    assert "keys: version 4" in fleet.ops("history", "--host", "edge-1").out


def test_a_list_of_keys_that_is_forged_or_played_back_is_refused_and_reported(fleet: Fleet) -> None:
    edge = converged(fleet)
    fleet.ops("keys", "add", STRANGER.public.hex())
    fleet.ops("keys", "remove", STRANGER.key_id)
    evil = TrustedKeys.of(9, [TrustedKey(STRANGER.public, frozenset(Permission))])
    with edge.serving():
        until(lambda: pinned(edge).version == 3)
        stood = fleet.store.key_lists.read("edge-1")
        publish(fleet, STRANGER.sign_keys(evil, fleet="edges"))
        until(lambda: "which is not trusted here" in fleet.ops("history", "--host", "edge-1").out)
        publish(fleet, stood[2])
        until(lambda: "the key list has version 2, known is 3" in fleet.ops("history", "--host", "edge-1").out)
        assert pinned(edge).version == 3
        assert key_id(STRANGER.public) not in pinned(edge).keys


def test_after_the_controllers_key_was_lost_agents_keep_their_list_until_they_are_brought_a_new_one(
    fleet: Fleet,
) -> None:
    edge = converged(fleet)
    (old,) = pinned(edge).keys
    shutil.rmtree(fleet.ops.root / ".reconciler/keys")
    assert fleet.ops("apply", "--yes").code == 1
    told = fleet.ops("keys", "rotate", "--lost", "--yes").err
    assert "reconcile hosts enroll HOST, for edge-1 and edge-2" in told
    fleet.ops.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    with edge.serving():
        ran = fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty")
        assert ran.code == 3
        assert "which is not trusted here" in ran.out
        assert edge.text("/etc/hello") == "Hello from edge-1\n"
        assert list(pinned(edge).keys) == [old]
    new = Signer(load_or_create_key(fleet.ops.root / ".reconciler"))
    write_keys(edge.settings.agent_dir, TrustedKeys.of(1, [TrustedKey(new.public, frozenset(Permission))]))
    with edge.serving():
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
    assert edge.text("/etc/hello") == "Bye from edge-1\n"


def test_an_operators_key_that_may_converge_takes_the_place_of_a_lost_one(fleet: Fleet) -> None:
    edge = converged(fleet)
    spare, keys = fleet.ops.root / "spare.ed25519", fleet.ops.root / ".reconciler/keys"
    public = fleet.ops("keys", "make", str(spare)).out.strip()
    fleet.ops("keys", "add", public, "--may", "converge", "--may", "run")
    fleet.ops.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    spare.rename(keys / "controller.ed25519")
    with edge.serving():
        assert fleet.ops("apply", "--yes", "--host", "edge-1", "--allow-dirty").code == 0
        assert edge.text("/etc/hello") == "Bye from edge-1\n"
        assert fleet.ops("keys", "rotate").code == 0
        until(lambda: pinned(edge).version == 3)


def test_keys_are_not_changed_while_a_watch_signs_with_them(fleet: Fleet) -> None:
    assert fleet.store.leases.acquire(CONTROL, "ops-1", 60)
    ran = fleet.ops("keys", "rotate")
    assert ran.code == 1
    assert "Stop it, change the keys, then start it again" in ran.err


def publish(fleet: Fleet, signed: Signed) -> None:
    """Put a list in edge-1's slot as version 9, and wake its agent."""
    fleet.store.key_lists.publish(["edge-1"], [(9, signed)])
    fleet.store.looks.ask(["edge-1"], Look("01K", None))


def converged(fleet: Fleet) -> Edge:
    """edge-1, after an apply."""
    edge = fleet.edges["edge-1"]
    with edge.serving():
        until(lambda: heard(fleet, "edge-1"))
        assert fleet.ops("apply", "--yes", "--host", "edge-1").code == 0
    return edge


def term(fleet: Fleet) -> int:
    """The term of someone who takes control for a moment."""
    lease = fleet.store.leases.acquire(CONTROL, "someone", 1.0, take_over=True)
    assert lease is not None
    fleet.store.leases.release(lease)
    return lease.term


def pinned(edge: Edge) -> TrustedKeys:
    with edge.parts() as parts:
        return parts.pinned.keys


def opened(edge: Edge, sealed: bytes) -> bytes:
    from reconciler.source.host_files import sealing_key
    from reconciler.trust import unseal

    return unseal(sealing_key(edge.settings.agent_dir), sealed)
