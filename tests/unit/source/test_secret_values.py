"""Secrets are found where the ops server keeps them, in a fixed order, and shown to nobody."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.settings import Settings
from reconciler.source import secret_places
from reconciler.source.secret_values import SecretProviders
from reconciler.trust import Masker

NOWHERE = Settings(Path("/r"), Path("/r/.reconciler"), Path("/c"), Path("/run/r"))
PATH = "webapp/mysql_pass"
VARIABLE = "RECONCILER_SECRET_WEBAPP_MYSQL_PASS"


def providers(masker: Masker | None = None, **settings: Any) -> SecretProviders:
    return SecretProviders(dataclasses.replace(NOWHERE, **settings), masker or Masker())


def file(directory: Path, name: str, content: bytes, mode: int = 0o600) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return directory


def script(tmp_path: Path, body: str) -> tuple[str, ...]:
    path = tmp_path / "vault"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return (str(path), "read")


def told(found: SecretProviders, *paths: str) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        found.resolve(paths or (PATH,))
    return [str(problem) for problem in error.value.problems]


def test_a_variable_holds_a_secret() -> None:
    assert providers(secret_variables={VARIABLE: "hunter2"}).resolve([PATH]) == {PATH: "hunter2"}


def test_a_file_holds_a_secret_and_may_end_with_one_newline(tmp_path: Path) -> None:
    directory = file(tmp_path, PATH, b"hunter2\n\n")
    assert providers(secret_directories=(directory,)).resolve([PATH]) == {PATH: "hunter2\n"}


def test_a_file_may_be_named_as_systemd_and_docker_name_it(tmp_path: Path) -> None:
    directory = file(tmp_path, "webapp_mysql_pass", b"hunter2")
    assert providers(secret_directories=(directory,)).resolve([PATH]) == {PATH: "hunter2"}


def test_a_command_prints_a_secret(tmp_path: Path) -> None:
    command = script(tmp_path, 'echo "$1 $2"')
    assert providers(secret_command=command).resolve([PATH]) == {PATH: f"read {PATH}"}


def test_the_first_place_wins(tmp_path: Path) -> None:
    first, second = file(tmp_path / "1", PATH, b"first"), file(tmp_path / "2", PATH, b"second")
    command = script(tmp_path, "echo command")
    places: dict[str, Any] = {"secret_directories": (first, second), "secret_command": command}
    assert providers(**places, secret_variables={VARIABLE: "variable"}).resolve([PATH]) == {PATH: "variable"}
    assert providers(**places).resolve([PATH]) == {PATH: "first"}
    assert providers(secret_command=command).resolve([PATH]) == {PATH: "command"}


def test_a_secret_that_is_nowhere_is_told_with_all_that_was_tried(tmp_path: Path) -> None:
    command = script(tmp_path, "echo 'no such entry' >&2; exit 1")
    found = providers(secret_directories=(tmp_path,), secret_command=command)
    tried = [
        f"env {VARIABLE}",
        f"{tmp_path}/webapp/mysql_pass",
        f"{tmp_path}/webapp_mysql_pass",
        f"{command[0]} {PATH} (no such entry)",
    ]
    assert told(found) == [f"secret {PATH} not found; tried {', '.join(tried)}"]


def test_all_problems_are_told_at_once() -> None:
    found = providers(secret_variables={"RECONCILER_SECRET_BAD": "\udcff", "RECONCILER_SECRET_OK": "fine"})
    assert told(found, "ok", "bad", "none", "../etc/shadow") == [
        "'../etc/shadow' is no path of a secret. Use letters, digits, . _ - and / between the parts",
        "secret bad from env RECONCILER_SECRET_BAD is not UTF-8 text",
        "secret none not found; tried env RECONCILER_SECRET_NONE",
    ]


@pytest.mark.parametrize(
    "path", ["", "/etc/shadow", "a/../b", "..", "a//b", "a/", ".hidden", "-x", "a b", "a\n", "x" * 201]
)
def test_a_path_that_could_lead_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    (problem,) = told(providers(secret_directories=(tmp_path,)), path)
    assert "is no path of a secret" in problem


def test_an_empty_value_counts_as_not_found(tmp_path: Path) -> None:
    found = providers(secret_directories=(file(tmp_path, "token", b"\n"),), secret_command=script(tmp_path, "true"))
    (problem,) = told(found, "token")
    assert f"{tmp_path}/token (empty)" in problem
    assert "vault token (printed nothing)" in problem


def test_what_is_no_sensible_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file(tmp_path, "large", b"x" * (secret_places.LARGEST_BYTES + 1))
    folder, large = told(providers(secret_directories=(tmp_path,)), "folder", "large")
    assert "folder (is a directory)" in folder or "folder (not a regular file)" in folder
    assert "large (larger than" in large


def test_a_command_that_does_not_exist_is_told() -> None:
    (problem,) = told(providers(secret_command=("/no/such/vault",)))
    assert f"/no/such/vault {PATH} (no such file or directory)" in problem


def test_a_command_that_hangs_is_ended_and_worth_another_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_places, "COMMAND_SECONDS", 0.2)
    found = providers(secret_command=script(tmp_path, "sleep 60 & wait"))
    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        found.resolve([PATH])


def test_two_secrets_that_share_a_variable_are_refused() -> None:
    found = providers(secret_variables={"RECONCILER_SECRET_A_B_C": "hunter2"})
    assert told(found, "a/b_c", "a_b/c") == [
        "secret a_b/c and a/b_c both come from env RECONCILER_SECRET_A_B_C. Rename one"
    ]


def test_a_file_that_everyone_can_read_is_a_warning(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = providers(secret_directories=(file(tmp_path, "token", b"hunter2", 0o644),))
    assert found.resolve(["token"]) == {"token": "hunter2"}
    assert [str(warning) for warning in found.warnings] == [
        f"{tmp_path}/token: others can read this secret. Run: chmod o-r {tmp_path}/token"
    ]
    tmp_path.chmod(0o700)
    closed = providers(secret_directories=(tmp_path,))
    closed.resolve(["token"])
    assert closed.warnings == ()


def test_every_value_is_masked_from_the_moment_it_is_known() -> None:
    masker = Masker()
    with pytest.raises(InvalidInput):
        providers(masker, secret_variables={VARIABLE: "hunter2"}).resolve([PATH, "none"])
    assert masker.mask("it is hunter2") == f"it is <secret {PATH}>"


def test_no_value_shows_in_a_repr() -> None:
    found = secret_places.Environment({VARIABLE: "hunter2"}).find(secret_places.Search(PATH))
    assert found
    assert "hunter2" not in repr(found) + repr(providers(secret_variables={VARIABLE: "hunter2"}))
