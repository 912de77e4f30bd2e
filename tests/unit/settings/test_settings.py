"""Settings come from the environment and the place where a command runs."""

import os
import pwd
from dataclasses import fields
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.settings import SETTINGS, Settings, load


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "manifests" / "apps").mkdir(parents=True)
    return tmp_path


def test_the_repository_is_found_from_any_folder_inside_it(repository: Path) -> None:
    assert load(repository / "manifests" / "apps", {}).repository == repository


def test_the_search_for_a_repository_ends_at_the_top_of_a_git_repository(repository: Path) -> None:
    (repository / "other" / ".git").mkdir(parents=True)
    with pytest.raises(InvalidInput, match=r"no manifests/ in .*/other or above. Start here: reconcile init"):
        load(repository / "other", {})


def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere is not a directory"):
        load(tmp_path / "nowhere", {}, need_repository=False)


def test_without_need_of_a_repository_the_directory_itself_stands_for_it(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    settings = load(tmp_path, {}, need_repository=False)
    assert (settings.repository, settings.state_dir) == (tmp_path, tmp_path / ".reconciler")


def test_everything_has_a_default(repository: Path) -> None:
    settings = load(repository, {"HOME": "/home/ann"})
    assert settings.state_dir == repository / ".reconciler"
    assert settings.cache_dir == Path("/home/ann/.cache/reconciler")
    assert settings.redis_url is None
    assert settings.secret_directories == (Path("/run/secrets"), repository / ".reconciler" / "secrets")
    assert settings.secret_command == ()
    assert settings.log_level == "info"
    assert settings.holder
    assert settings.warnings == ()


def test_the_cache_follows_the_desktop_conventions_and_needs_no_home(repository: Path) -> None:
    assert load(repository, {"XDG_CACHE_HOME": "/var/cache", "HOME": "/root"}).cache_dir == Path(
        "/var/cache/reconciler"
    )
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)
    assert load(repository, {}).cache_dir == home / ".cache/reconciler", "what is in a repository is never believed"


def test_a_session_directory_that_is_gone_is_not_used_for_sockets(repository: Path, tmp_path: Path) -> None:
    assert load(repository, {"XDG_RUNTIME_DIR": str(tmp_path)}).runtime_dir == tmp_path / "reconciler"
    assert load(repository, {"XDG_RUNTIME_DIR": "/run/user/gone"}).runtime_dir != Path("/run/user/gone/reconciler")


def test_each_variable_sets_its_field(repository: Path) -> None:
    environ = {
        "RECONCILER_REDIS_URL": "redis://:hunter2@redis/0",
        "RECONCILER_STATE_DIR": "/var/lib/ops",
        "RECONCILER_CACHE_DIR": "/var/cache/ops",
        "RECONCILER_RUNTIME_DIR": "/run/ops",
        "RECONCILER_SECRETS_DIR": "/etc/a:/etc/b",
        "RECONCILER_SECRETS_COMMAND": "pass show 'my store'",
        "RECONCILER_SECRET_WEBAPP_PASS": "hunter2",
        "RECONCILER_HOLDER": "ops-1",
        "RECONCILER_LOG_LEVEL": "DEBUG",
        "RECONCILER_GIT_TIMEOUT": "2.5",
        "RECONCILER_LEASE": "6",
        "CREDENTIALS_DIRECTORY": "/run/credentials/reconcile",
    }
    settings = load(repository, environ)
    assert settings == Settings(
        repository=repository,
        state_dir=Path("/var/lib/ops"),
        cache_dir=Path("/var/cache/ops"),
        runtime_dir=Path("/run/ops"),
        redis_url="redis://:hunter2@redis/0",
        secret_variables={"RECONCILER_SECRET_WEBAPP_PASS": "hunter2"},
        secret_directories=tuple(
            map(Path, ["/etc/a", "/etc/b", "/run/credentials/reconcile", "/run/secrets", "/var/lib/ops/secrets"])
        ),
        secret_command=("pass", "show", "my store"),
        holder="ops-1",
        log_level="debug",
        git_timeout_seconds=2.5,
        lease_seconds=6.0,
    )
    assert "hunter2" not in repr(settings)


def test_an_empty_variable_counts_as_not_set(repository: Path) -> None:
    names = [setting.variable for setting in SETTINGS]
    assert load(repository, dict.fromkeys(names, "")) == load(repository, {})


def test_all_senseless_values_are_told_at_once(repository: Path) -> None:
    environ = {
        "RECONCILER_LOG_LEVEL": "loud",
        "RECONCILER_GIT_TIMEOUT": "0",
        "RECONCILER_LEASE": "2",
        "RECONCILER_SECRETS_COMMAND": "pass 'show",
    }
    with pytest.raises(InvalidInput) as error:
        load(repository, environ)
    assert [str(problem) for problem in error.value.problems] == [
        "RECONCILER_GIT_TIMEOUT is 0, not a number of seconds above 0",
        "RECONCILER_LEASE is 2, not a number of seconds from 3 on",
        "RECONCILER_LOG_LEVEL is loud, not one of debug, info, warning, error",
        "RECONCILER_SECRETS_COMMAND has a quote that does not end",
    ]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "1m"])
def test_a_time_limit_is_a_number_above_zero(repository: Path, seconds: str) -> None:
    with pytest.raises(InvalidInput, match=f"RECONCILER_GIT_TIMEOUT is {seconds}"):
        load(repository, {"RECONCILER_GIT_TIMEOUT": seconds})


def test_a_variable_that_is_no_setting_is_a_warning_that_names_the_likely_one(repository: Path) -> None:
    environ = {"RECONCILER_REDIS_URI": "redis://redis", "RECONCILER_SECRET_ANYTHING": "x", "PATH": "/bin"}
    (warning,) = load(repository, environ).warnings
    assert str(warning) == "RECONCILER_REDIS_URI is no setting. Did you mean RECONCILER_REDIS_URL?"


def test_the_table_tells_every_field_that_people_may_set() -> None:
    told = {setting.name for setting in SETTINGS}
    assert told == {field.name for field in fields(Settings)} - {"repository", "warnings"}
