"""`reconcile watch` beside other commands: it follows, heals, answers, stands by and ends cleanly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Repository
from tests.processes import Beside
from tests.waiting import until

HEALED = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: healed}
spec: {hosts: role=web, verifyEvery: 1s, resources: [{file: {path: /etc/healed, content: well}}]}
"""


def test_a_saved_file_reaches_the_host(small: Repository) -> None:
    with watching(small):
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: _text(small, "/etc/hello") == "Bye from demo\n")


def test_drift_is_healed(small: Repository) -> None:
    small.replace("manifests/apps/hello.yaml", "  config:", "  verifyEvery: 1s\n  config:")
    with watching(small):
        until(lambda: "in sync  healthy" in small("status").out)
        small.on_host("/etc/hello").write_text("someone was here\n")
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")
    assert "drift" in small("history").out


def test_a_watch_is_told_at_once_of_the_drift_that_someone_finds(small: Repository) -> None:
    with watching(small):
        until(lambda: "in sync  healthy" in small("status").out)
        assert "holds control" not in small("verify").err
        small.on_host("/etc/hello").write_text("someone was here\n")
        assert "holds control: told it of the drift" in small("verify").err
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")


def test_drift_that_is_only_reported_stays_while_other_drift_is_healed(small: Repository) -> None:
    small.write("manifests/apps/healed.yaml", HEALED)
    small.replace("manifests/apps/hello.yaml", "  config:", "  drift: report\n  verifyEvery: 1s\n  config:")
    with watching(small):
        until(lambda: small("status").out.count("in sync  healthy") == 2)
        small.on_host("/etc/hello").write_text("someone was here\n")
        until(lambda: "file:/etc/hello" in small("status").out)
        small.on_host("/etc/healed").write_text("here too")
        until(lambda: _text(small, "/etc/healed") == "well")
        assert _text(small, "/etc/hello") == "someone was here\n"
    assert small("apply", "--yes", "--app", "hello").code == 0
    assert _text(small, "/etc/hello") == "Hello from demo\n"


def test_drift_that_is_ignored_is_neither_shown_nor_healed(small: Repository) -> None:
    small.write("manifests/apps/healed.yaml", HEALED)
    small.replace("manifests/apps/hello.yaml", "  config:", "  drift: ignore\n  verifyEvery: 1s\n  config:")
    with watching(small):
        until(lambda: small("status").out.count("in sync  healthy") == 2)
        small.on_host("/etc/hello").write_text("someone was here\n")
        for _ in range(2):
            small.on_host("/etc/healed").write_text("here too")
            until(lambda: _text(small, "/etc/healed") == "well")
            until(lambda: small("status").out.count("in sync  healthy") == 2)
        assert "drift" not in small("status").out
        assert _text(small, "/etc/hello") == "someone was here\n"


def test_an_app_that_deletes_too_much_is_held_until_a_commit_allows_it(small: Repository) -> None:
    many = [f"    - file: {{path: /etc/many/{n}, content: x}}\n" for n in range(13)]
    app = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: many}\nspec:\n  hosts: role=web\n  resources:\n"
    small.write("manifests/apps/many.yaml", app + "".join(many))
    small.commit("many files")
    with watching(small):
        until(lambda: small.on_host("/etc/many/12").exists())
        small.write("manifests/apps/many.yaml", app + many[0])
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: _text(small, "/etc/hello") == "Bye from demo\n")
        assert small.on_host("/etc/many/12").exists()
        small.commit("few files\n\nReconcile-Allow-Deletes: 12")
        small.replace("manifests/apps/hello.yaml", "Bye", "Again")
        until(lambda: not small.on_host("/etc/many/12").exists())
        assert small.on_host("/etc/many/0").exists()


def test_a_branch_of_a_bare_repository_is_followed(small: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "fleet.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    small.git("remote", "add", "origin", str(bare))
    server = tmp_path / "ops"
    server.mkdir()
    ops = Repository(server, small.environment, small.capture)
    with watching(ops, "--repo", str(bare), "--branch", "main", "--interval", "1h"):
        until(lambda: _text(ops, "/etc/hello") == "Hello from demo\n")
        small.replace("manifests/apps/hello.yaml", "Hello", "Pushed")
        small.commit("another greeting")
        small.git("push", "--quiet", "origin", "main")
        until(lambda: _text(ops, "/etc/hello") == "Pushed from demo\n")
        until(lambda: ops("status").last_line == "1 app on 1 host: 1 in sync.")
        assert ops("plan").last_line == f"No changes. 1 host matches revision {small.git('rev-parse', 'HEAD')[:7]}."
        assert "manifests/apps/hello.yaml:6:22" in ops("explain", "demo", "hello").out
        applied = ops("apply", "--yes")
        assert applied.code == 0, applied.err
        assert "asked it to reconcile now" in applied.err
    assert ops("status").last_line == "1 app on 1 host: 1 in sync."
    assert ops("validate").code == 0
    assert "fleet small: 1 host, 1 app" in ops("doctor").out


def test_while_the_newest_revision_is_wrong_commands_go_by_the_one_in_force(small: Repository, tmp_path: Path) -> None:
    good = small.git("rev-parse", "HEAD")[:7]
    bare = tmp_path / "fleet.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    small.git("remote", "add", "origin", str(bare))
    (tmp_path / "ops").mkdir()
    ops = Repository(tmp_path / "ops", small.environment, small.capture)
    with watching(ops, "--repo", str(bare), "--branch", "main", "--interval", "1h"):
        until(lambda: ops("status").last_line == "1 app on 1 host: 1 in sync.")
        small.replace("manifests/apps/hello.yaml", "  hosts:", "  hosst:")
        small.commit("a typing mistake")
        small.git("push", "--quiet", "origin", "main")
        until(lambda: ops("validate").code == 1)
        status = ops("status")
        assert status.last_line == "1 app on 1 host: 1 in sync."
        bad = small.git("rev-parse", "HEAD")[:7]
        warning = f"warning: revision {bad} was fetched, but {good} is still in force. Look: reconcile validate\n"
        assert status.err == warning
        for words in (
            ("run", "--host", "demo", "-y", "--command", "true"),
            ("pause", "--host", "demo", "--reason", "disk swap"),
            ("resume", "--host", "demo"),
            ("silence", "add", "host=demo", "--for", "5m", "--reason", "disk swap"),
            ("alerts", "list"),
            ("schedules", "list"),
            ("verify",),
        ):
            ran = ops(*words)
            assert ran.code == 0, ran.err
            assert warning in ran.err
        assert ops("plan").code == 1
    with watching(ops, "--repo", str(bare), "--branch", "main", "--interval", "1h"):
        assert ops("run", "--host", "demo", "-y", "--command", "true").code == 0
        small.replace("manifests/apps/hello.yaml", "  hosst:", "  hosts:")
        small.replace("manifests/apps/hello.yaml", "Hello", "Mended")
        small.commit("the mistake is gone")
        small.git("push", "--quiet", "origin", "main")
        until(lambda: _text(ops, "/etc/hello") == "Mended from demo\n")


def test_a_silence_that_cannot_be_told_of_is_not_set(small: Repository) -> None:
    small.replace("manifests/apps/hello.yaml", "  hosts:", "  hosst:")
    small.git("commit", "--quiet", "--all", "--amend", "-m", "a mistake from the first commit on")
    assert small("silence", "add", "host=demo", "--for", "5m", "--reason", "disk swap").code == 1
    small.replace("manifests/apps/hello.yaml", "  hosst:", "  hosts:")
    assert "by-hand" not in small("silence", "list").out


def test_commands_share_the_embedded_server_with_it_and_outlive_it(small: Repository) -> None:
    with watching(small):
        until(lambda: "in sync" in small("status").out)
        asked = small("apply", "--yes")
        assert asked.code == 0, asked.out + asked.err
        assert "in sync" in small("status").out
    assert "in sync" in small("status").out
    assert small("plan").last_line.startswith("No changes.")


def test_an_apply_asks_the_watch_that_holds_control(small: Repository) -> None:
    with watching(small):
        until(lambda: "in sync" in small("status").out)
        small.on_host("/etc/hello").unlink()
        small("verify")
        ran = small("apply", "--yes")
        assert "ops-1" in ran.err
        assert "asked it to reconcile now" in ran.err
        assert ran.code == 0
        assert _text(small, "/etc/hello") == "Hello from demo\n"


def test_an_apply_of_another_revision_is_refused_and_says_who_holds_control(small: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "fleet.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1s"):
        until(lambda: small.on_host("/etc/hello").exists())
        small.replace("manifests/apps/hello.yaml", "Hello", "Hotfix")
        small.commit("hotfix")
        refused = small("apply", "--yes")
        assert refused.code == 1
        assert "holds control, following main@" in refused.err
        assert "--take-over" in refused.err
        assert _text(small, "/etc/hello") == "Hello from demo\n"


def test_a_watch_brings_its_branch_back_after_someone_took_over(small: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "fleet.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1s"):
        until(lambda: "in sync  healthy" in small("status").out)
        small.replace("manifests/apps/hello.yaml", "Hello", "Hotfix")
        assert small("apply", "--yes", "--take-over").code == 0
        assert _text(small, "/etc/hello") == "Hotfix from demo\n"
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")
        small.replace("manifests/apps/hello.yaml", "Hotfix", "Hello")
        until(lambda: "in sync  healthy" in small("status").out)


def test_a_repository_that_is_gone_leaves_its_last_revision_in_force(small: Repository, tmp_path: Path) -> None:
    small.replace("manifests/apps/hello.yaml", "  config:", "  verifyEvery: 1s\n  config:")
    small.commit("look often")
    bare, away = tmp_path / "fleet.git", tmp_path / "away.git"
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1s") as watch:
        until(lambda: "in sync  healthy" in small("status").out)
        bare.rename(away)
        small.on_host("/etc/hello").write_text("someone was here\n")
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        small.commit("bye")
        small.git("push", "--quiet", str(away), "HEAD:main")
        away.rename(bare)
        until(lambda: _text(small, "/etc/hello") == "Bye from demo\n")
        assert watch.running


def test_a_broken_manifest_leaves_the_last_good_revision_in_force(small: Repository) -> None:
    with watching(small) as watch:
        until(lambda: small.on_host("/etc/hello").exists())
        small.replace("manifests/apps/hello.yaml", "resources:", "resuorces:")
        until(lambda: small("plan").code == 1)
        small.replace("manifests/apps/hello.yaml", "resuorces:", "resources:")
        small.replace("manifests/apps/hello.yaml", "Hello", "Mended")
        until(lambda: _text(small, "/etc/hello") == "Mended from demo\n")
        assert watch.running


def test_a_watch_that_begins_with_mistakes_tells_them_and_goes_on_once_they_are_mended(small: Repository) -> None:
    small.replace("manifests/apps/hello.yaml", "resources:", "resuorces:")
    with watching(small) as watch:
        told = watch.says('"invalid"')
        assert "manifests/apps/hello.yaml:7:3" in told
        assert "nothing, until they are mended" in told
        assert not small.on_host("/etc/hello").exists()
        small.replace("manifests/apps/hello.yaml", "resuorces:", "resources:")
        watch.says('"mended"')
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")


def test_a_watch_that_waits_for_mistakes_to_be_mended_ends_cleanly(small: Repository) -> None:
    small.replace("manifests/apps/hello.yaml", "resources:", "resuorces:")
    with watching(small) as watch:
        watch.says('"invalid"')


def test_a_watch_of_a_branch_waits_for_its_first_commit_without_mistakes(small: Repository, tmp_path: Path) -> None:
    bare = tmp_path / "fleet.git"
    small.replace("manifests/apps/hello.yaml", "resources:", "resuorces:")
    small.commit("a typing mistake")
    small.git("clone", "--quiet", "--bare", str(small.root), str(bare))
    with watching(small, "--repo", str(bare), "--interval", "1h") as watch:
        watch.says("nothing, until they are mended")
        small.replace("manifests/apps/hello.yaml", "resuorces:", "resources:")
        small.commit("the mistake is gone")
        small.git("push", "--quiet", str(bare), "HEAD:main")
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")


def test_a_branch_that_there_is_not_ends_a_watch_at_once(small: Repository) -> None:
    ran = small("watch", "--repo", str(small.root), "--branch", "mian")
    assert ran.code == 1
    assert "has no branch mian. Did you mean main?" in ran.err


def test_while_files_have_mistakes_the_watch_goes_on_with_what_they_were(small: Repository) -> None:
    """Also where no commit holds that, and only putting it together shows the mistake."""
    small.replace("manifests/apps/hello.yaml", "  config:", "  verifyEvery: 1h\n  config:")
    with watching(small) as watch:
        until(lambda: "in sync  healthy" in small("status").out)
        small.write("templates/hello.j2", "{{ no_such_thing }}\n")
        assert "+changes" in watch.says('"invalid"').partition("in_force")[2]
        small.redis("DEL", "rc:{_}:fleet")
        small.write("templates/hello.j2", "{{ nor_such_a_thing }}\n")
        until(lambda: small.redis("EXISTS", "rc:{_}:fleet") == 1, "another plan of what is in force")
        assert _text(small, "/etc/hello") == "Hello from demo\n"
        small.write("templates/hello.j2", "Mended on {{ host.name }}\n")
        until(lambda: _text(small, "/etc/hello") == "Mended on demo\n")


def test_a_watch_that_begins_with_mistakes_goes_by_the_commit_that_the_fleet_follows(small: Repository) -> None:
    commit = small.git("rev-parse", "HEAD")[:7]
    with watching(small):
        until(lambda: "in sync  healthy" in small("status").out)
    small.on_host("/etc/hello").unlink()
    small("verify")
    small.replace("manifests/apps/hello.yaml", "resources:", "resuorces:")
    with watching(small) as watch:
        assert commit in watch.says('"invalid"').partition("in_force")[2]
        until(lambda: _text(small, "/etc/hello") == "Hello from demo\n")


def test_manifests_that_vanish_leave_the_hosts_as_they_are(small: Repository) -> None:
    with watching(small) as watch:
        until(lambda: small.on_host("/etc/hello").exists())
        (small.root / "manifests").rename(small.root / "away")
        told = watch.says("holds no manifest")
        assert "Bring them back; the hosts stay as they are" in told
        assert "in_force" in told
        (small.root / "away").rename(small.root / "manifests")
        small.replace("manifests/apps/hello.yaml", "Hello", "Back")
        until(lambda: _text(small, "/etc/hello") == "Back from demo\n")


def test_keys_of_another_program_are_told_once_and_the_watch_goes_on(small: Repository) -> None:
    odd = ("rc:{pool:ops}:ready holds", "rc:{_}:requests holds", "rc:{gone}:observed b'odd' in Redis")
    with watching(small) as watch:
        until(lambda: "in sync  healthy" in small("status").out)
        small.redis("SET", "rc:{pool:ops}:ready", "of another program")
        small.redis("SET", "rc:{_}:requests", "of another program")
        small.redis("HSET", "rc:{gone}:observed", "odd", "of another program")
        small.redis("SADD", "rc:{_}:hosts", "gone")
        small.replace("manifests/apps/hello.yaml", "Hello", "Bye")
        until(lambda: _text(small, "/etc/hello") == "Bye from demo\n")
        until(lambda: all(key in watch.told() for key in odd), "a word of each")
        small.redis("DEL", "rc:{pool:ops}:ready", "rc:{_}:requests")
        assert small("apply", "--yes").code == 0
        watch.sends(signal.SIGTERM)
        watch.ends()
        told = watch.told()
    for key in odd:
        assert told.count(key) == 1, told
    assert told.index("rc:{gone}:observed") < told.index("stopped")


def test_an_interrupted_apply_is_taken_up_at_once(small: Repository) -> None:
    _slow_first_time(small)
    with small.beside("apply", "--yes") as running:
        until(lambda: small.on_host("/started").exists())
        running.sends(signal.SIGINT)
        assert running.ends() == -signal.SIGINT
    assert small("apply", "--yes").code == 0
    assert _text(small, "/etc/hello") == "Hello from demo\n"


def test_an_apply_killed_at_work_is_taken_over(small: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_LEASE", "3")
    _slow_first_time(small)
    with small.beside("apply", "--yes") as running:
        until(lambda: small.on_host("/started").exists())
        running.dies()

    ran = small("apply", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert _text(small, "/etc/hello") == "Hello from demo\n"
    assert small("plan").last_line.startswith("No changes.")


def test_two_applies_at_once_both_end_well(small: Repository) -> None:
    _slow_first_time(small)
    with small.beside("apply", "--yes") as first:
        until(lambda: small.on_host("/started").exists())
        with small.beside("apply", "--yes") as second:
            second.says("waiting for it to end")
            small.on_host("/go").touch()
            assert (first.ends(), second.ends()) == (0, 0)


def _slow_first_time(small: Repository) -> None:
    """The app's first resource takes long, once: until the host has a file `go`."""
    first = "test -e $ROOT/started || { touch $ROOT/started; until test -e $ROOT/go; do sleep 0.1; done; }"
    step = f"    - command: {{argv: [sh, -c, '{first}'], env: {{ROOT: {small.on_host('/')}}}}}\n"
    small.on_host("/").mkdir(parents=True)
    small.replace("manifests/apps/hello.yaml", "  resources:\n", f"  resources:\n{step}")


@contextmanager
def watching(repository: Repository, *words: str) -> Iterator[Beside]:
    """A watch beside the block, ended by SIGTERM; it must end cleanly."""
    with repository.beside("watch", *words) as watch:
        yield watch
        until(lambda: '"watching"' in watch.told() or not watch.running, "that it can be ended cleanly")
        if watch.running:
            watch.sends(signal.SIGTERM)
            assert watch.ends() == 0
        assert "Traceback" not in watch.told()


def _text(repository: Repository, path: str) -> str:
    file = repository.on_host(path)
    return file.read_text() if file.exists() else ""
