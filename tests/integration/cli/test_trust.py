"""Someone who can write to Redis does not become root on the hosts."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.model.desired import Bundle, DesiredApp, Statement, app_digest
from reconciler.model.work import CONVERGE, Work
from reconciler.settings import load
from reconciler.store import CONTROL, HostDesired, HostWrite, Store, open_store, opening
from reconciler.store.keys import Keys
from reconciler.trust import Signer
from tests.integration.cli.conftest import Repository
from tests.integration.cli.test_watching import watching
from tests.waiting import until


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
    assert "was applied before" in ran.out
    assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"


def test_what_stands_beside_the_signed_apps_is_not_there(small: Repository, store: Store) -> None:
    said = store.desired.read("demo")
    assert said is not None
    bundle, evil = _evil("other")
    store.desired.put_bundles([bundle])
    _replace(store, said, {**said.apps, "other": evil})
    store.work.enqueue([Work("converge:other", "demo", CONVERGE, {"app": "other"})])
    with watching(small):
        until(lambda: store.work.get("demo", "converge:other") is None)
    assert small("verify").code == 0
    assert not small.on_host("/etc/evil").exists()


def test_secrets_that_the_signed_content_does_not_name_are_not_resolved(small: Repository, store: Store) -> None:
    said = store.desired.read("demo")
    assert said is not None
    greedy = dataclasses.replace(said.apps["hello"], secrets=("no/such/secret",))
    _replace(store, said, {"hello": greedy})
    assert small("verify").code == 0


def test_templates_that_were_lost_are_told_and_written_again(small: Repository, store: Store) -> None:
    said = store.desired.read("demo")
    assert said is not None
    _forget_bundle(small, said.apps["hello"].bundle)
    ran = small("verify")
    assert ran.code == 3
    assert "no longer in Redis" in ran.out
    assert small("apply", "--yes").code == 0
    assert small("verify").code == 0


def test_a_lost_key_is_told_and_not_made_again_unasked(small: Repository) -> None:
    small("apply", "--yes")
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    keys = small.root / ".reconciler/keys"
    shutil.move(keys, small.root / "backup")
    for words in (["doctor"], ["apply", "--yes"], ["verify"], ["watch"]):
        ran = small(*words)
        assert ran.code == 1, words
        assert "Lost for good: reconcile keys rotate --lost" in ran.out + ran.err, words
    assert not keys.exists()
    assert small("--dry-run").code == 0

    shutil.copytree(small.root / "backup", keys)
    assert small("doctor").code == 0
    ran = small("keys", "rotate", "--lost")
    assert ran.code == 1
    assert "no key is lost" in ran.err


def test_a_key_that_is_lost_for_good_is_made_anew_when_asked(small: Repository) -> None:
    small("apply", "--yes")
    shutil.rmtree(small.root / ".reconciler/keys")
    unasked = small("keys", "rotate", "--lost")
    assert (unasked.code, "Use --yes" in unasked.err) == (1, True)
    assert not (small.root / ".reconciler/keys").exists()
    assert small("keys", "rotate", "--lost", "--yes").code == 0
    assert small("doctor").code == 0
    small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
    assert small("apply", "--yes").code == 0
    assert small.on_host("/etc/hello").read_text() == "Bye from demo\n"


def test_a_key_that_others_can_read_is_told_by_the_doctor(small: Repository) -> None:
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


def _forget_bundle(small: Repository, sha: str) -> None:
    runtime = Path(os.environ["RECONCILER_RUNTIME_DIR"])
    with closing(opening.embedded(small.root / ".reconciler" / "store", runtime, SystemClock())) as opened:
        opened.link.send("DEL", Keys().bundle(sha))


def _evil(name: str = "hello") -> tuple[Bundle, DesiredApp]:
    content = {
        "app": name,
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
    return bundle, DesiredApp("demo", name, bundle.sha, "{}", app_digest(bundle.sha, "{}"))


def _write(store: Store, evil: tuple[Bundle, DesiredApp], signer: Signer) -> None:
    bundle, app = evil
    before = store.desired.generations(["demo"])["demo"]
    statement = Statement("small", "demo", before + 1, "evil", {"hello": app.digest}, {}, signer.key_id)
    store.desired.put_bundles([bundle])
    store.desired.write(_term(store), [HostWrite("demo", signer.sign(statement), before + 1, {"hello": app})])


def _replace(store: Store, said: HostDesired, apps: dict[str, DesiredApp]) -> None:
    store.desired.write(_term(store), [HostWrite("demo", said.signed, said.generation + 1, apps)])


def test_state_that_comes_from_the_repository_is_refused_before_anything_in_it_is_used(
    small: Repository, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    victim.chmod(0o755)
    (victim / "file").write_text("precious")
    small.write(".reconciler/store/server.socket", str(victim / "file"))
    small.git("add", "-f", ".reconciler")
    for words in (["--dry-run"], ["status"], ["--yes"], ["verify"], ["watch"]):
        ran = small(*words)
        assert ran.code == 1, words
    assert "server.socket comes from the repository" in small("--dry-run").err
    assert [(path.name, path.read_text()) for path in victim.iterdir()] == [("file", "precious")]
    assert victim.stat().st_mode & 0o777 == 0o755
    assert small("validate").code == 0
    assert small("plan", "--against", "HEAD").code == 0


def test_nothing_is_writable_for_others_whatever_the_umask_was(small: Repository) -> None:
    before = os.umask(0)
    try:
        with small.beside("--yes") as process:
            assert process.ends() == 0
    finally:
        os.umask(before)
    state = small.root / ".reconciler"
    loose = [path for path in (state, *state.rglob("*")) if not path.is_symlink() and path.stat().st_mode & 0o022]
    assert loose == []


def test_an_odd_record_is_told_and_stops_no_command(small: Repository) -> None:
    assert small("--yes").code == 0
    with open_store(load(small.root, os.environ)) as store:
        store._opened.link.send("HSET", "rc:{web-1}:observed", "hello", "[")
        store._opened.link.send("XADD", "rc:{_}:events", "*", "a", "b")
        for words in (["status"], ["history"], ["plan"], ["hosts", "facts"], ["jobs"], ["--yes"]):
            assert small(*words).code == 0, words
        ran = small("history")
    assert "rc:{_}:events in Redis is not as this program writes it" in ran.err
