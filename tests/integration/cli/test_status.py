"""`status` and `verify` as people read them: drift with what differs, hosts out of reach, a view that follows."""

from __future__ import annotations

import signal

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.integration.cli.conftest import Repository, scrubbed
from tests.integration.cli.test_watching import watching
from tests.waiting import until


def test_drift_is_shown_with_what_differs(small: Repository, snapshot: SnapshotAssertion) -> None:
    assert small("apply", "--yes").code == 0
    small.on_host("/etc/hello").write_text("Someone was here\nHello from demo\n")
    small.on_host("/etc/hello").chmod(0o664)
    assert scrubbed(small("verify").out) == snapshot
    assert scrubbed(small("status").out) == snapshot
    assert "-Someone was here" in small("plan").out
    assert small("explain", "demo", "hello").out.count("yes: the host no longer looks as it was left") == 1


def test_the_text_of_a_file_that_not_everyone_may_read_is_not_shown(small: Repository) -> None:
    assert small("apply", "--yes").code == 0
    small.on_host("/etc/hello").write_text("a private matter\n")
    small.on_host("/etc/hello").chmod(0o600)
    told = small("verify").out + small("status").out + small("plan").out
    assert "content" in told
    assert "private matter" not in told


def test_a_secret_that_somebody_copied_into_a_readable_file_is_masked(small: Repository) -> None:
    secret = "correct horse battery"
    small.write(".reconciler/secrets/pass", f"{secret}\n")
    (small.root / ".reconciler").chmod(0o700)
    (small.root / ".reconciler/secrets/pass").chmod(0o600)
    more = "    - file: {path: /etc/secret, content: '{{ pass }}', mode: '0600'}\n"
    small.replace("manifests/apps/hello.yaml", "{greeting: Hello}", "{greeting: Hello, pass: {secret: pass}}")
    small.replace("manifests/apps/hello.yaml", "  resources:\n", f"  resources:\n{more}")
    assert small("apply", "--yes").code == 0
    small.on_host("/etc/hello").write_text(f"kept here for a moment: {secret}\n")
    told = small("verify").out + small("status").out
    assert told.count("-kept here for a moment: ********") == 2
    assert secret not in told + str(small.redis("HGETALL", "rc:{demo}:observed"))


def test_a_host_out_of_reach_is_shown_until_it_is_met_again(small: Repository, snapshot: SnapshotAssertion) -> None:
    assert small("apply", "--yes").code == 0
    _as_ssh(small)
    assert small("verify").code == 3
    assert scrubbed(small("status").out) == snapshot
    assert "unreachable: " in small("hosts", "list").out
    small.git("checkout", "manifests/hosts/demo.yaml")
    assert small("verify").code == 0
    assert small("status").last_line == "1 app on 1 host: 1 in sync."


def test_a_look_that_finds_nothing_new_moves_the_moment_and_writes_no_app(small: Repository) -> None:
    assert small("apply", "--yes").code == 0
    before = small.redis("HGETALL", "rc:{demo}:observed")
    seen = small.redis("HGET", "rc:{demo}:facts", "seen_at")
    assert small("verify").code == 0
    assert small.redis("HGETALL", "rc:{demo}:observed") == before
    assert small.redis("HGET", "rc:{demo}:facts", "seen_at") > seen  # type: ignore[operator]


def test_where_there_is_no_terminal_a_status_is_printed_when_it_is_another_one(small: Repository) -> None:
    with small.beside("status", "--watch") as status:
        status.says("1 app on 1 host: 1 with unknown sync.")
        assert small("apply", "--yes").code == 0
        status.says("1 app on 1 host: 1 in sync.")
        status.sends(signal.SIGINT)
        assert status.ends() == 0
        assert status.unheard() == ""
        assert status.told().count("reconcile status at") == 2


def test_on_a_terminal_a_status_is_drawn_in_place(small: Repository) -> None:
    with small.on_terminal("status", "--watch") as terminal:
        terminal.shows("unknown sync.")
        assert small("apply", "--yes").code == 0
        terminal.shows("1 app on 1 host: 1 in sync.")
        terminal.interrupts()
        assert terminal.exit_code() == 0
        assert "\x1b[1A" in terminal.screen()


def test_progress_names_what_is_being_dealt_with(small: Repository) -> None:
    step = "    - command: {argv: [sleep, '20']}\n      name: patience\n"
    small.replace("manifests/apps/hello.yaml", "  resources:\n", f"  resources:\n{step}")
    with small.on_terminal("apply", "--yes") as terminal:
        terminal.shows("s: patience")


@pytest.mark.parametrize("mistake", ["resuorces:", "resources: ["])
def test_a_followed_status_outlives_a_broken_manifest(small: Repository, mistake: str) -> None:
    small("apply", "--yes")
    with small.beside("status", "--watch") as status:
        status.says("1 app on 1 host: 1 in sync.")
        small.replace("manifests/apps/hello.yaml", "resources:", mistake)
        status.says("manifests/apps/hello.yaml:")
        small.replace("manifests/apps/hello.yaml", mistake, "resources:")
        status.says("1 app on 1 host: 1 in sync.")


def _as_ssh(small: Repository) -> None:
    """Nothing listens there."""
    small.replace("manifests/hosts/demo.yaml", "connection: {type: local}", "connection: {type: ssh, port: 1}")
    small.replace(
        "manifests/hosts/demo.yaml", "  sandboxRoot: .reconciler/sandbox/demo\n", "  sandboxRoot: /srv/demo\n"
    )


def test_while_a_file_has_a_mistake_whoever_is_called_still_sees_and_holds_the_fleet(small: Repository) -> None:
    small("apply", "--yes")
    commit = small.git("rev-parse", "HEAD")[:7]
    small.replace("manifests/apps/hello.yaml", "  hosts:", "  hosst:")
    mistake = "the files here have 2 mistakes, the first one at manifests/apps/hello.yaml:4:1"
    warning = f"warning: {mistake}; this goes by commit {commit}. Look: reconcile validate\n"
    for words in (
        ("status",),
        ("verify",),
        ("pause", "--host", "demo", "--reason", "disk swap"),
        ("resume", "--host", "demo"),
        ("silence", "add", "host=demo", "--for", "5m", "--reason", "disk swap"),
        ("alerts", "list"),
        ("schedules", "list"),
        ("hosts", "list"),
    ):
        ran = small(*words)
        assert (ran.code, warning in ran.err) == (0, True), ran.err
    assert small("status").last_line == "1 app on 1 host: 1 in sync."
    for refusing in (("plan",), ("apply", "--yes"), ("run", "--host", "demo", "-y", "--command", "true")):
        ran = small(*refusing)
        assert (ran.code, "hosst" in ran.err) == (1, True), ran.err


def test_a_template_that_no_host_can_render_keeps_nobody_from_seeing_the_fleet(small: Repository) -> None:
    small("apply", "--yes")
    commit = small.git("rev-parse", "HEAD")[:7]
    small.write("templates/hello.j2", "{{ no_such_thing }}\n")
    for words in (
        ("status",),
        ("hosts", "list"),
        ("hosts", "facts"),
        ("hosts", "metrics"),
        ("verify",),
        ("pause", "--host", "demo", "--reason", "disk swap"),
        ("resume", "--host", "demo"),
        ("silence", "add", "host=demo", "--for", "5m", "--reason", "disk swap"),
        ("alerts", "list"),
        ("schedules", "list"),
    ):
        ran = small(*words)
        assert (ran.code, ran.err.count(f"a mistake at templates/hello.j2:1; this goes by commit {commit}.")) == (
            0,
            1,
        ), ran.err
    assert small("status").last_line == "1 app on 1 host: 1 in sync."
    assert (small("explain", "demo", "hello").code, small("plan").code) == (1, 1)


def test_where_the_last_commit_has_the_mistake_too_what_a_watch_follows_is_seen(small: Repository) -> None:
    commit = small.git("rev-parse", "HEAD")[:7]
    with watching(small):
        until(lambda: small("status").last_line == "1 app on 1 host: 1 in sync.")
    small.replace("manifests/apps/hello.yaml", "  hosts:", "  hosst:")
    small.commit("a slip")
    assert f"this goes by commit {commit}" in small("status").err
    small.redis("DEL", "rc:{_}:fleet")
    assert (small("status").code, "hosst" in small("status").err) == (1, True)
