"""The agent's files and its unit on one host: looked at, put there, switched, taken away. Each act tells if it changed
anything, and every one may be done again after being cut off.

Called by `enroll`, `upgrade` and `remove`, which say in which order; `layout` says where things are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from reconciler.enrolment.layout import (
    CURRENT,
    ENVIRONMENT,
    KEYS,
    PROGRAM,
    SEALING_KEY,
    SERVICE,
    SETTINGS_DIRECTORY,
    STATE,
    UNIT,
    VERSIONS,
    environment_text,
    read_environment,
    unit,
)
from reconciler.enrolment.lock import INSTALLER
from reconciler.enrolment.own_wheel import Wheel
from reconciler.enrolment.probe import Platform
from reconciler.enrolment.release import Release
from reconciler.errors import HostFailed, Place
from reconciler.resources.machine.system import Completed
from reconciler.transport import Machine

_STARTED = f"{PROGRAM}/started"
"""The version that worked last, and the fingerprint of all that it was started with: if that differs now, the unit
needs a start, also after a run that was cut off in between."""
_INSTALLING = f"{PROGRAM}/installing"
"""Locked by what fills or empties version directories: a program outlives the run that started it and was killed."""
_APPLYING = f"{STATE}/lock"
"""Locked by the engine while it applies something on the host."""
_COMPLETE = "complete"
"""Written into a version directory when everything is in it."""
_STEP_SECONDS = 900.0
"""For any one program: pip on a slow machine, or a unit that takes long to stop and start."""
_CHECK_SECONDS = 60.0
_TURN_SECONDS = 600
"""How long an apply or an installation that is under way may keep us waiting."""
_NO_TURN = 75
"""What flock(1) is told to end with then, chosen so that nothing else means it."""
_JOURNAL_LINES = 5


class Installation:
    """What one host has of an agent."""

    def __init__(self, machine: Machine, host: str) -> None:
        self._machine = machine
        self._place = Place(host=host)

    # -- versions

    def has(self, version: str) -> bool:
        """Whether a version is there, whole."""
        return self._machine.read(f"{VERSIONS}/{version}/{_COMPLETE}") is not None

    def put(self, version: str, release: Release, platform: Platform, wheels: Sequence[Wheel], *, online: bool) -> None:
        """Make the directory of a version: an environment of its own, as PEP 405 describes it, filled by pip.

        Raises:
            HostFailed: `install-failed`, with what pip said.
        """
        directory = f"{VERSIONS}/{version}"
        if self._machine.read(_INSTALLING) is None:
            self._machine.write(_INSTALLING, b"", 0o600)
        self._remove(directory)
        self._machine.write(f"{directory}/pyvenv.cfg", _environment_of(platform), 0o644)
        self._machine.link(f"{directory}/bin/python", platform.executable)
        for wheel in (release.wheel, *wheels):
            self._machine.write(f"{directory}/wheels/{wheel.name}", wheel.content, 0o644)
        self._machine.write(f"{directory}/wheels/requirements.txt", release.installed.encode(), 0o644)
        installer = next(wheel.name for wheel in wheels if wheel.name.startswith(f"{INSTALLER}-"))
        pip = [f"{directory}/bin/python", "-I", f"{directory}/wheels/{installer}/{INSTALLER}", "install", "--quiet"]
        how = ["--no-deps", "--require-hashes", "--only-binary=:all:", f"--find-links={directory}/wheels"]
        index = [] if online else ["--no-index"]
        env = {"HOME": "/root", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        if not online:
            env["PIP_CONFIG_FILE"] = "/dev/null"
        requirements = f"--requirement={directory}/wheels/requirements.txt"
        self._in_turn("install-failed", _INSTALLING, *[*pip, *how, *index, requirements], env=env)
        self._remove(f"{directory}/wheels")
        self._machine.write(f"{directory}/{_COMPLETE}", b"", 0o644)

    def current(self) -> str | None:
        """The version that the unit starts; None where there is none."""
        found = self._machine.run("readlink", CURRENT)
        return PurePosixPath(found.stdout.strip()).name if found.ok else None

    def switch(self, version: str) -> bool:
        """Let the unit start another version from now on."""
        if self.current() == version:
            return False
        self._machine.link(CURRENT, f"versions/{version}")
        return True

    def prune(self, keep: Sequence[str | None]) -> None:
        """Remove the other versions."""
        for name in self._machine.names(VERSIONS):
            if name not in keep:
                self._remove(f"{VERSIONS}/{name}")

    # -- what it is told

    def environment(self) -> Mapping[str, str]:
        """What the agent is told; empty where it is told nothing."""
        return read_environment(self._machine.read(ENVIRONMENT))

    def tell(self, environment: Mapping[str, str]) -> bool:
        """Tell the agent what it is to know."""
        return self._write(ENVIRONMENT, environment_text(environment), 0o600)

    def keys(self) -> bytes | None:
        """The list of trusted keys as it stands there."""
        return self._machine.read(KEYS)

    def trust(self, keys: bytes) -> bool:
        """Deliver the list of trusted keys, into a directory that nobody else may look into."""
        self._must("install-failed", "install", "-d", "-m", "0700", STATE)
        return self._write(KEYS, keys, 0o600)

    def sealing_key(self, version: str, environment: Mapping[str, str]) -> str:
        """The public half of the key that secrets for this host are sealed to, made where there is none.

        Raises:
            HostFailed: `agent-unfit`.
        """
        ended = self._agent(version, environment, "--public-key")
        if not ended.ok:
            raise self._host_failed("agent-unfit", f"no sealing key could be made: {_said(ended)}")
        return ended.stdout.strip()

    def check(self, version: str, environment: Mapping[str, str]) -> None:
        """Let this version of the agent look whether it could work here: its files, its keys, Redis from this host.

        Raises:
            HostFailed: `agent-unfit`, with what it said.
        """
        ended = self._agent(version, environment, "--check")
        if not ended.ok:
            hint = "Nothing was started. Does the host see Redis at that address? Another one: --redis-url"
            raise self._host_failed("agent-unfit", f"the agent could not work here: {_said(ended)}", hint)

    # -- the unit

    def start(self) -> bool:
        """Have the unit run what stands there now, also at every boot; whether anything had to be done.

        A start counts once it is confirmed; until then the next run starts it again.

        Raises:
            HostFailed: `agent-not-started`, with the last lines of its log.
        """
        self._write(UNIT, unit(), 0o644)
        enabled = self._machine.run("systemctl", "is-enabled", "--quiet", SERVICE).ok
        running = self._machine.run("systemctl", "is-active", "--quiet", SERVICE).ok
        if enabled and running and self._machine.read(_STARTED) == self._started():
            return False
        self._must("agent-not-started", "systemctl", "daemon-reload")
        self._must("agent-not-started", "systemctl", "enable", "--quiet", SERVICE)
        self._machine.write(_STARTED, (self.worked() or "").encode(), 0o644)
        try:
            self._in_turn("agent-not-started", _APPLYING, "systemctl", "restart", SERVICE)
        except HostFailed as error:
            if error.problems[0].code == "host-busy":
                raise
            raise self._with_log(self._host_failed("agent-not-started", "its service does not start")) from None
        return True

    def confirm(self) -> None:
        """Remember that what stands there now was started, and works."""
        self._machine.write(_STARTED, self._started(), 0o644)

    def worked(self) -> str | None:
        """The version that worked last; None where none ever did."""
        return (self._machine.read(_STARTED) or b"").decode().partition(" ")[0] or None

    def silent(self, seconds: float) -> HostFailed:
        """The error for an agent that runs and does not report."""
        message = f"its service runs, but Redis has not heard from it for {seconds:g} s"
        return self._with_log(self._host_failed("agent-silent", message))

    def _started(self) -> bytes:
        """The version that stands there now, and the fingerprint of what else the agent reads when it starts."""
        grounds = [self._machine.read(path) or b"" for path in (UNIT, ENVIRONMENT, KEYS)]
        fingerprint = hashlib.sha256(b"\0".join(grounds)).hexdigest()
        return f"{self.current()} {fingerprint}".encode()

    def stop(self) -> bool:
        """Stop and remove the unit; what was started stays. Whether there was one."""
        there = self._machine.read(UNIT) is not None
        known = self._machine.run("systemctl", "cat", SERVICE).ok
        if known:
            self._in_turn("host-error", _APPLYING, "systemctl", "disable", "--quiet", "--now", SERVICE)
        if there:
            self._must("host-error", "rm", "-f", UNIT)
            self._must("host-error", "systemctl", "daemon-reload")
        self._machine.run("systemctl", "reset-failed", SERVICE)
        return there or known

    def clear(self, *, purge: bool) -> Sequence[str]:
        """Remove program, settings and keys, with `purge` the ledger and backups too; what there was."""
        paths = [VERSIONS, CURRENT, _STARTED, ENVIRONMENT, KEYS, SEALING_KEY, *([STATE] if purge else [])]
        there = [path for path in paths if self._machine.run("ls", "-d", path).ok]
        if there:
            self._remove(*there)
        self._must("host-error", "rm", "-f", _INSTALLING)
        for directory in (PROGRAM, SETTINGS_DIRECTORY):
            self._machine.run("rmdir", directory)  # others may have something in it
        return there

    # -- ways

    def _agent(self, version: str, environment: Mapping[str, str], flag: str) -> Completed:
        program = f"{VERSIONS}/{version}/bin/reconcile"
        return self._machine.run(program, "agent", flag, env=environment, seconds=_CHECK_SECONDS)

    def _remove(self, *paths: str) -> None:
        self._in_turn("host-error", _INSTALLING, "rm", "-rf", "--one-file-system", *paths)

    def _in_turn(self, code: str, lock: str, *argv: str, env: Mapping[str, str] | None = None) -> None:
        """Run a program while nobody else holds a lock of the host; where there is no such file, nobody ever did.

        Raises:
            HostFailed: the code, with what the program said; `host-busy`, where the lock is not to be had.
        """
        if self._machine.read(lock) is None:
            self._must(code, *argv, env=env)
            return
        turn = ["flock", f"--timeout={_TURN_SECONDS}", f"--conflict-exit-code={_NO_TURN}", lock]
        ended = self._machine.run(*turn, *argv, env=env, seconds=_TURN_SECONDS + _STEP_SECONDS)
        if ended.code == _NO_TURN:
            message = f"something is being applied or installed there for more than {_TURN_SECONDS} s"
            raise self._host_failed("host-busy", message, "Run it again later")
        if not ended.ok:
            raise self._ended(code, argv[0], ended)

    def _write(self, path: str, content: bytes, mode: int) -> bool:
        if self._machine.read(path) == content:
            return False
        self._machine.write(path, content, mode)
        return True

    def _with_log(self, error: HostFailed) -> HostFailed:
        """The error, with the last lines of the agent's log."""
        words = ["journalctl", "--unit", SERVICE, "--output=cat", "--no-pager", f"--lines={_JOURNAL_LINES}"]
        log = "; ".join(line.strip() for line in self._machine.run(*words).stdout.splitlines() if line.strip())
        problem = error.problems[0]
        return self._host_failed(problem.code, f"{problem.message}. Its log: {log}", problem.hint)

    def _must(self, code: str, *argv: str, env: Mapping[str, str] | None = None) -> None:
        ended = self._machine.run(*argv, env=env, seconds=_STEP_SECONDS)
        if not ended.ok:
            raise self._ended(code, argv[0], ended)

    def _ended(self, code: str, program: str, ended: Completed) -> HostFailed:
        return self._host_failed(code, f"{PurePosixPath(program).name} failed: {_said(ended)}")

    def _host_failed(self, code: str, message: str, hint: str = "") -> HostFailed:
        return HostFailed.of(code, message, place=self._place, hint=hint)


def _environment_of(platform: Platform) -> bytes:
    home = PurePosixPath(platform.executable).parent
    version = ".".join(map(str, platform.python))
    return f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n".encode()


def _said(ended: Completed) -> str:
    """The last lines of a program, without the marks of its level."""
    lines = [
        line.removeprefix("ERROR: ").removeprefix("error: ") for line in (ended.stderr or ended.stdout).splitlines()
    ]
    return "; ".join([line.strip() for line in lines if line.strip()][-3:]) or ended.complaint
