"""Someone who can write to Redis does not become root on the hosts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

import pytest

from reconciler.model.desired import Bundle, DesiredApp, Statement, app_digest
from reconciler.settings import load
from reconciler.store import CONTROL, HostDesired, HostWrite, Store, open_store
from reconciler.trust import Signer
from tests.integration.cli.conftest import Repository


@pytest.fixture
def store(small: Repository) -> Iterator[Store]:
    """The fleet's store, as someone with write access to Redis has it."""
    small("apply", "--yes")
    with open_store(load(small.root, os.environ)) as opened:
        yield opened


def test_a_statement_of_another_key_is_refused_and_told(small: Repository, store: Store) -> None:
    _write(store, _evil(), Signer(b"x" * 32))
    ran = small("verify")
    assert ran.code == 3
    assert "not trusted here" in ran.out
    assert not small.on_host("/etc/evil").exists()


def test_the_next_apply_says_again_what_someone_else_overwrote(small: Repository, store: Store) -> None:
    _write(store, _evil(), Signer(b"x" * 32))
    assert small("apply", "--yes").code == 0
    assert small("verify", "--detailed-exitcode").code == 0
    assert not small.on_host("/etc/evil").exists()


def test_content_that_was_not_signed_is_refused(small: Repository, store: Store) -> None:
    said = store.desired.read("demo")
    assert said is not None
    hello = said.apps["hello"]
    forged = dataclasses.replace(hello, values=hello.values.replace("Hello", "Evil"))
    _replace(store, said, {"hello": forged})
    small.on_host("/etc/hello").unlink()

    ran = small("verify")
    assert ran.code == 3
    assert "not what was signed" in ran.out
    assert not small.on_host("/etc/hello").exists()


def test_a_missing_statement_removes_nothing(small: Repository, store: Store) -> None:
    store.desired.forget("demo", term=_term(store))
    ran = small("verify")
    assert ran.code == 3
    assert "nothing signed says what should be here" in ran.out
    assert small.on_host("/etc/hello").exists()


def test_an_old_statement_is_not_brought_back(small: Repository, store: Store) -> None:
    old = store.desired.read("demo")
    assert old is not None
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    small("apply", "--yes")
    newer = store.desired.generations(["demo"])["demo"] + 1
    store.desired.write(_term(store), [HostWrite("demo", old.signed, newer, old.apps)])

    ran = small("verify")
    assert ran.code == 3
    assert "was seen before" in ran.out
    assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"


def test_a_lost_key_is_told_by_the_doctor(small: Repository) -> None:
    small("apply", "--yes")
    key = small.root / ".reconciler/keys/controller.ed25519"
    key.chmod(0o644)
    ran = small("doctor")
    assert ran.code == 1
    assert "chmod 600" in ran.out


def _term(store: Store) -> int:
    """The term of someone who takes control for a moment."""
    lease = store.leases.acquire(CONTROL, "someone", 1.0, take_over=True)
    assert lease is not None
    store.leases.release(lease)
    return lease.term


def _evil() -> tuple[Bundle, DesiredApp]:
    content = {
        "app": "hello",
        "resources": [{"kind": "file", "fields": {"path": "/etc/evil", "content": "evil"}}],
        "health": [],
        "templates": {},
        "policy": {
            "adopt": "replace",
            "prune": "true",
            "onFailure": "stop",
            "drift": "heal",
            "verifyEvery": 300,
            "confirm": None,
            "dependsOn": [],
            "formerly": [],
        },
    }
    bundle = Bundle.of(content)
    return bundle, DesiredApp("demo", "hello", bundle.sha, "{}", app_digest(bundle.sha, "{}"))


def _write(store: Store, evil: tuple[Bundle, DesiredApp], signer: Signer) -> None:
    bundle, app = evil
    before = store.desired.generations(["demo"])["demo"]
    statement = Statement("small", "demo", before + 1, "evil", {"hello": app.digest}, {}, signer.key_id)
    store.desired.put_bundles([bundle])
    store.desired.write(_term(store), [HostWrite("demo", signer.sign(statement), before + 1, {"hello": app})])


def _replace(store: Store, said: HostDesired, apps: dict[str, DesiredApp]) -> None:
    store.desired.write(_term(store), [HostWrite("demo", said.signed, said.generation + 1, apps)])
