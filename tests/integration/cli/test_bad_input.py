"""What people get who made a mistake: all that is wrong, where it is, what to do, exit 1, and nothing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.integration.cli.conftest import Repository

_APP = "manifests/apps/hello.yaml"
_MISTAKES: dict[str, Callable[[Repository], object]] = {
    "an unknown field": lambda fleet: fleet.replace(_APP, "resources:", "resuorces:"),
    "a mode that is a number": lambda fleet: fleet.replace(_APP, "hello.j2}", "hello.j2, mode: 0644}"),
    "an unquoted expression": lambda fleet: fleet.replace(_APP, "Hello", "{{ vars.greeting }}"),
    "a selector without a host": lambda fleet: fleet.replace(_APP, "role=web", "role=wbe"),
    "an undefined variable": lambda fleet: fleet.write("templates/hello.j2", "one\n{{ greetnig }}\n"),
    "a template that does not parse": lambda fleet: fleet.write("templates/hello.j2", "{% if %}\n"),
    "a template that reaches for Python": lambda fleet: fleet.write(
        "templates/hello.j2", "{{ greeting.__class__.__mro__ }}\n"
    ),
    "a template that never ends": lambda fleet: fleet.write(
        "templates/hello.j2",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}",
    ),
    "a dependency on nothing": lambda fleet: fleet.replace(_APP, "  config:", "  dependsOn: [{app: helo}]\n  config:"),
    "a dependency on itself": lambda fleet: fleet.replace(_APP, "  config:", "  dependsOn: [{app: hello}]\n  config:"),
    "a file that is missing": lambda fleet: fleet.replace(_APP, "hello.j2", "helo.j2"),
    "a name used twice": lambda fleet: fleet.write("manifests/apps/again.yaml", (fleet.root / _APP).read_text()),
    "a secret that is nowhere": lambda fleet: fleet.replace(_APP, "Hello", "{secret: hello/greeting}"),
    "no manifests": lambda fleet: fleet.git("mv", "manifests", "elsewhere"),
    "nested brackets": lambda fleet: fleet.write("manifests/deep.yaml", "[" * 3000),
    "a NUL byte": lambda fleet: fleet.write("manifests/nul.yaml", "kind: \0\n"),
    "a link that leads out": lambda fleet: (fleet.root / "templates/out").symlink_to("/etc/passwd"),
}


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_a_mistake_is_told_and_nothing_is_changed(small: Repository, mistake: str, snapshot: SnapshotAssertion) -> None:
    small("apply", "--yes")
    before = small.on_host("/etc/hello").stat()
    _MISTAKES[mistake](small)

    ran = small("apply", "--yes")
    assert ran.code == 1
    assert ran.err.replace(str(small.root), "REPOSITORY") == snapshot
    assert small.on_host("/etc/hello").stat() == before


def test_all_mistakes_are_told_at_once(small: Repository) -> None:
    for mistake in ("an undefined variable", "a dependency on nothing", "a mode that is a number"):
        _MISTAKES[mistake](small)
    told = small("validate").err
    assert "hello.yaml:6:21" in told
    assert "hello.yaml:9:58" in told


def test_a_tree_that_was_sound_is_told_to_be_so_again_until_it_changes(small: Repository) -> None:
    small.replace(_APP, "resources:", "resources:\n    - command: {argv: [date], creates: /x}")
    first = small("validate")
    assert (first.code, first.out) == (0, "Valid: 1 host, 1 app, 0 jobs.\n")
    assert "warning: manifests/apps/hello.yaml:8:16: " in first.err
    assert small("validate") == first
    assert small("validate", "-o", "json").code == 0

    _MISTAKES["an undefined variable"](small)
    assert small("validate").code == small("validate").code == 1
    small.write("templates/hello.j2", "{{ greeting }}\n")
    assert small("validate") == first


def test_problems_of_templates_are_told_beside_those_of_manifests(small: Repository) -> None:
    other = (small.root / _APP).read_text().replace("hello", "other")
    small.write("manifests/apps/other.yaml", other.replace("resources:", "resuorces:"))
    _MISTAKES["an undefined variable"](small)
    told = small("validate").err
    assert "other.yaml" in told
    assert "templates/hello.j2:2" in told


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["plna"], 1, "Did you mean plan?"),
        (["plan", "--host", "dmeo"], 1, "Did you mean demo?"),
        (["plan", "-l", "role=("], 1, "--selector"),
        (["plan", "--against", "mian"], 1, "mian"),
        (["plan", "--frobnicate"], 1, "--frobnicate"),
        (["explain", "demo", "helo"], 1, "Did you mean hello?"),
        (["apply"], 1, "--yes"),
        (["pause", "--reason", "x"], 1, "--host"),
        (["watch", "--repo", "ext::sh -c whoami", "--interval", "1s"], 1, "ext"),
    ],
)
def test_wrong_usage_is_told_with_the_way_out(small: Repository, words: list[str], code: int, told: str) -> None:
    ran = small(*words)
    assert ran.code == code
    assert told in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://127.0.0.1:1/0", "RECONCILER_REDIS_URL"),
        ("unix:///nowhere/redis.sock", "RECONCILER_REDIS_URL"),
        ("http://127.0.0.1/", "redis://"),
    ],
)
def test_a_redis_that_is_not_there_is_told(
    small: Repository, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.setenv("RECONCILER_REDIS_URL", url)
    ran = small("plan")
    assert ran.code == 1
    assert told in ran.err


def test_the_doctor_tells_each_mistake_once(small: Repository) -> None:
    small.replace("templates/hello.j2", "{{ greeting }}", "{{ greting }}")
    told = small("doctor")
    assert (told.code, told.out.count("greting")) == (1, 1), told.out
    assert "secrets: not looked for as long as the manifests have mistakes" in told.out, told.out


_HOST, _APP_NAME = "there is no host dmeo. Did you mean demo?", "there is no app helo. Did you mean hello?"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("history --host dmeo", _HOST),
        ("history --app helo", _APP_NAME),
        ("history --app nothing-like-it", "there is no app nothing-like-it. Look: reconcile status"),
        ("jobs list --host dmeo", _HOST),
        ("jobs list --job comand", "there is no job comand. Did you mean command?"),
        ("jobs logs 01ABCDEF --host dmeo", _HOST),
        ("status --host dmeo --app helo", _HOST),
        ("status --app helo --app hllo", f"{_APP_NAME}\nerror: there is no app hllo. Did you mean hello?"),
        ("plan --exclude dmeo", _HOST),
        ("pause --app helo --reason x", _APP_NAME),
        ("verify --host dmeo", _HOST),
        ("explain dmeo hello", _HOST),
        ("render demo helo", _APP_NAME),
        ("run --host dmeo --command true", _HOST),
        ("hosts list --host dmeo", _HOST),
        ("hosts facts --host dmeo", _HOST),
        ("hosts metrics dmeo", _HOST),
        ("hosts forget nothing-like-it", "nothing is known of nothing-like-it"),
        ("schedules list nightly", "there is no schedule nightly. Look: reconcile schedules list"),
        ("schedules next nightly", "there is no schedule nightly. Look: reconcile schedules list"),
        ("schedules suspend nightly", "there is no schedule nightly. Look: reconcile schedules list"),
        ("alerts list --host dmeo", _HOST),
        ("alerts list -l host=dmeo", 'there is no host "dmeo". Did you mean demo?'),
        ("alerts list -l alert=HostStaled", 'there is no alert "HostStaled". Did you mean HostStale?'),
        ("alerts ack -l host=dmeo", 'there is no host "dmeo". Did you mean demo?'),
    ],
)
def test_a_name_that_there_is_not_is_a_mistake_and_never_an_empty_answer(
    small: Repository, words: str, told: str
) -> None:
    small("apply", "--yes")
    ran = small(*words.split())
    assert (ran.code, ran.out) == (1, ""), ran
    assert f"error: {told}" in ran.err


def test_of_what_there_is_it_is_said_that_nothing_happened(small: Repository) -> None:
    for words in (("history", "--host", "demo"), ("history", "--app", "hello")):
        assert small(*words).out == "Nothing has happened yet.\n"
    for chosen in (("--host", "demo"), ("--job", "command")):
        assert small("jobs", "list", *chosen).code == 0


def test_what_left_the_manifests_has_a_history(small: Repository) -> None:
    small("apply", "--yes")
    (small.root / _APP).unlink()
    assert small("apply", "--yes").code == 0
    assert "removed" in small("history", "--app", "hello").out
    assert small("history", "--app", "helo").code == 1


def test_where_no_manifests_are_a_name_is_looked_up_in_redis(small: Repository) -> None:
    small("apply", "--yes")
    for folder in ("manifests", ".git"):
        shutil.rmtree(small.root / folder)
    assert "Did you mean hello?" in small("history", "--app", "helo").err
    wrong = small("jobs", "list", "--job", "backup")
    assert (wrong.code, "Redis knows none of that name" in wrong.err) == (1, True), wrong
