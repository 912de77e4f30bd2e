"""Settings of this process: read once from the environment and the working directory, then handed around frozen.

The CLI and the tests call `load`; wiring passes the result on. What manifests say of the fleet is not here. The table
`SETTINGS` is what people may set; the reference page and `doctor` are made from it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from reconciler.directories import CACHE_VARIABLE, RUNTIME_VARIABLE, cache_dir, runtime_dir
from reconciler.errors import InvalidInput, Place, Problem, did_you_mean
from reconciler.resources.values import dataclass, field

SECRET_PREFIX = "RECONCILER_SECRET_"  # noqa: S105 - a name
"""Variables that hold a secret's value; `reconciler.source.secrets` knows which belongs to which path."""

LOG_LEVELS = ("debug", "info", "warning", "error")
SHORTEST_LEASE_SECONDS = 3.0
"""What is under way is renewed once a second at most, and two renewals may fail."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that people may set by an environment variable."""

    name: str
    """The field of `Settings`."""
    variable: str
    default: str
    meaning: str


SETTINGS = (
    Setting(
        "redis_url",
        "RECONCILER_REDIS_URL",
        "an embedded server",
        "Where Redis is: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://.",
    ),
    Setting(
        "redis_password_file",
        "RECONCILER_REDIS_PASSWORD_FILE",
        "`redis-password` in systemd's `$CREDENTIALS_DIRECTORY`, where it is there",
        "A file with the password of the user in `RECONCILER_REDIS_URL`, so that the URL need not hold it.",
    ),
    Setting(
        "state_dir",
        "RECONCILER_STATE_DIR",
        "`.reconciler` in the repository",
        "What this machine keeps: the signing key, the embedded server's data, mirrors of git repositories.",
    ),
    Setting(
        "cache_dir",
        CACHE_VARIABLE,
        "`$XDG_CACHE_HOME/reconciler`, else `~/.cache/reconciler`",
        "What can be made again at any time: parsed manifests and verdicts on them, wheels for agents.",
    ),
    Setting(
        "runtime_dir",
        RUNTIME_VARIABLE,
        "`$XDG_RUNTIME_DIR/reconciler`, else `/run/reconciler` as root, else `/tmp/reconciler-UID`",
        "Sockets of the embedded server; a short path, since a socket's path may have about 100 bytes.",
    ),
    Setting(
        "secret_directories",
        "RECONCILER_SECRETS_DIR",
        "none",
        "Directories with a file for each secret, joined by `:`. Looked into before systemd's "
        "`$CREDENTIALS_DIRECTORY`, `/run/secrets` and `secrets` in the state directory.",
    ),
    Setting(
        "secret_command",
        "RECONCILER_SECRETS_COMMAND",
        "none",
        "A command that prints a secret's value, called with the secret's path as its last argument.",
    ),
    Setting(
        "secret_variables",
        "RECONCILER_SECRET_PATH",
        "none",
        "The value of the secret at PATH, in capitals with `_` for every other character: "
        "`RECONCILER_SECRET_WEBAPP_MYSQL_PASS` for `webapp/mysql_pass`.",
    ),
    Setting(
        "holder",
        "RECONCILER_HOLDER",
        "the machine's host name",
        "The name by which others see who holds control or a lease.",
    ),
    Setting("host", "RECONCILER_HOST", "none", "Which host of the manifests this machine is; for `reconcile agent`."),
    Setting("fleet", "RECONCILER_FLEET", "none", "Which fleet the host belongs to; for `reconcile agent`."),
    Setting(
        "agent_dir",
        "RECONCILER_AGENT_DIR",
        "`/var/lib/reconciler`",
        "What an agent keeps: `keys.json`, the keys that it trusts, and `sealing.key`.",
    ),
    Setting(
        "agent_root",
        "RECONCILER_AGENT_ROOT",
        "`/`",
        "What the agent takes for the root of its host; a directory makes it a sandbox, to try it out.",
    ),
    Setting("log_level", "RECONCILER_LOG_LEVEL", "info", f"What `watch` and `agent` log: {', '.join(LOG_LEVELS)}."),
    Setting(
        "git_timeout_seconds",
        "RECONCILER_GIT_TIMEOUT",
        "60",
        "How long, in seconds, fetching from a git repository may take.",
    ),
    Setting(
        "lease_seconds",
        "RECONCILER_LEASE",
        "30",
        "How long, in seconds, work on a host stays with an executor that is not heard of; at least 3. The shorter, "
        "the sooner another one takes up what a dead one left.",
    ),
)

_MIRRORS = "mirrors"
_VARIABLES = {setting.name: setting.variable for setting in SETTINGS}


FOLLOWED = "followed"
"""The link, among the mirrors, to the one that was fetched last. Its HEAD is the branch that is followed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told. Values that may hold a password stay out of the repr."""

    repository: Path
    """The folder with `manifests/`, or where a watch follows those of a repository elsewhere; absolute."""
    state_dir: Path
    cache_dir: Path
    runtime_dir: Path
    redis_url: str | None = field(default=None, repr=False)
    """None: the embedded server."""
    redis_password_file: Path | None = None
    secret_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that start with `RECONCILER_SECRET_`, by their whole name."""
    secret_directories: tuple[Path, ...] = ()
    """In the order in which they are tried."""
    secret_command: tuple[str, ...] = field(default=(), repr=False)
    """An argv without the secret's path; empty: no command."""
    holder: str = "localhost"
    host: str = ""
    """Empty: this machine is no agent's."""
    fleet: str = ""
    agent_dir: Path = Path("/var/lib/reconciler")
    agent_root: Path | None = None
    """None: the machine's own root."""
    log_level: str = "info"
    git_timeout_seconds: float = 60.0
    lease_seconds: float = 30.0
    warnings: tuple[Problem, ...] = ()
    """What is odd about the environment and stops nobody."""

    @property
    def mirrors(self) -> Path:
        """Where mirrors of repositories elsewhere are kept."""
        return self.state_dir / _MIRRORS

    @property
    def followed(self) -> Path | None:
        """The mirror that the manifests come from; None where they stand in the repository itself."""
        mirror = self.mirrors / FOLLOWED
        return mirror if mirror.exists() and not (self.repository / "manifests").is_dir() else None


def load(directory: Path, environ: Mapping[str, str], *, need_repository: bool = True) -> Settings:
    """Read the settings. An empty variable counts as not set.

    Args:
        directory: where to look for the repository: the argument of `-C`, or the working directory.
        environ: the environment's variables.
        need_repository: False where the manifests come from elsewhere (`watch --repo`): without a `manifests/` folder
            the directory itself then stands for the repository. So it does where a watch has followed one.

    Raises:
        InvalidInput: there is no repository, or a variable's value makes no sense.
    """
    given = {name: value for name, value in environ.items() if value}
    problems: list[Problem] = []
    state = given.get(_VARIABLES["state_dir"], ".reconciler")
    follows = (directory.absolute() / state / _MIRRORS / FOLLOWED).exists()
    repository = _repository_or(directory) if follows or not need_repository else find_repository(directory)
    state_dir = repository / state
    settings = Settings(
        repository=repository,
        state_dir=state_dir,
        cache_dir=Path(cache_dir(given)).absolute(),
        runtime_dir=Path(runtime_dir(given)).absolute(),
        redis_url=given.get(_VARIABLES["redis_url"]),
        redis_password_file=_password_file(given),
        secret_variables={name: value for name, value in sorted(given.items()) if name.startswith(SECRET_PREFIX)},
        secret_directories=_secret_directories(given, state_dir),
        secret_command=_command(given, problems),
        holder=given.get(_VARIABLES["holder"], os.uname().nodename),
        host=given.get(_VARIABLES["host"], ""),
        fleet=given.get(_VARIABLES["fleet"], ""),
        agent_dir=Path(given.get(_VARIABLES["agent_dir"], "/var/lib/reconciler")).absolute(),
        agent_root=Path(given[_VARIABLES["agent_root"]]).absolute() if _VARIABLES["agent_root"] in given else None,
        log_level=_log_level(given, problems),
        git_timeout_seconds=_seconds(given, "git_timeout_seconds", 60.0, problems),
        lease_seconds=_seconds(given, "lease_seconds", 30.0, problems, least=SHORTEST_LEASE_SECONDS),
        warnings=_unknown_variables(given),
    )
    if problems:
        raise InvalidInput(problems)
    return settings


def find_repository(directory: Path) -> Path:
    """The nearest folder, from `directory` upwards to the top of its git repository, that holds `manifests/`.

    Raises:
        InvalidInput: there is none, or the directory does not exist.
    """
    place = directory.absolute()
    if not place.is_dir():
        raise InvalidInput.of("no-directory", f"{directory} is not a directory")
    for folder in (place, *place.parents):
        if (folder / "manifests").is_dir():
            return folder
        if (folder / ".git").exists():
            break
    raise InvalidInput.of(
        "no-repository",
        f"no manifests/ in {place} or above",
        hint="Start here: reconcile init. Elsewhere: -C DIR",
    )


def _repository_or(directory: Path) -> Path:
    try:
        return find_repository(directory)
    except InvalidInput as error:
        if error.problems[0].code != "no-repository":
            raise
        return directory.absolute()


def _password_file(given: Mapping[str, str]) -> Path | None:
    if chosen := given.get(_VARIABLES["redis_password_file"]):
        return Path(chosen).absolute()
    credential = Path(given.get("CREDENTIALS_DIRECTORY", "/nowhere")) / "redis-password"
    return credential if credential.exists() else None


def _secret_directories(given: Mapping[str, str], state_dir: Path) -> tuple[Path, ...]:
    chosen = given.get(_VARIABLES["secret_directories"], "").split(os.pathsep)
    names = [*chosen, given.get("CREDENTIALS_DIRECTORY", ""), "/run/secrets", str(state_dir / "secrets")]
    return tuple(dict.fromkeys(Path(name).absolute() for name in names if name))


def _command(given: Mapping[str, str], problems: list[Problem]) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(given.get(_VARIABLES["secret_command"], "")))
    except ValueError:
        problems.append(_wrong("secret_command", "has a quote that does not end"))
        return ()


def _log_level(given: Mapping[str, str], problems: list[Problem]) -> str:
    level = given.get(_VARIABLES["log_level"], "info").lower()
    if level not in LOG_LEVELS:
        problems.append(_wrong("log_level", f"is {level}, not one of {', '.join(LOG_LEVELS)}"))
    return level


def _seconds(
    given: Mapping[str, str], name: str, default: float, problems: list[Problem], *, least: float = 0.0
) -> float:
    text = given.get(_VARIABLES[name], str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not (0 < seconds < float("inf") and seconds >= least):
        bound = f"from {least:g} on" if least else "above 0"
        problems.append(_wrong(name, f"is {text}, not a number of seconds {bound}"))
    return seconds


def _wrong(name: str, message: str) -> Problem:
    return Problem(Place(), f"{_VARIABLES[name]} {message}", code="invalid-setting")


def _unknown_variables(given: Mapping[str, str]) -> tuple[Problem, ...]:
    known = frozenset(_VARIABLES.values())
    unknown = [
        name
        for name in sorted(given)
        if name.startswith("RECONCILER_") and not name.startswith(SECRET_PREFIX) and name not in known
    ]
    return tuple(
        Problem(Place(), f"{name} is no setting", did_you_mean(name, known), "unknown-setting") for name in unknown
    )
