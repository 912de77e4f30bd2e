"""The ops server: a repository of manifests, a key, and `reconcile` as a person runs it there."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from tests.e2e.fleet import Fleet
from tests.git import GitTree
from tests.terminal import Terminal, on_terminal
from tests.waiting import until

PROJECT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 300
_RECONCILE = (sys.executable, "-c", "from reconciler.cli import entry; entry()")
FLEET = "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: e2e}\nspec: {}\n"
"""What the fleets of these tests say of themselves."""
_ON_HOST = "/root/ops"


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str

    @property
    def last_line(self) -> str:
        return self.out.strip().splitlines()[-1] if self.out.strip() else ""

    def line_of(self, host: str) -> str:
        """A host's line of the recap."""
        return next(line for line in self.out.splitlines() if line.startswith(f"{host} "))


class Keys(Protocol):
    """What lets in to a fleet, and how its hosts are known."""

    @property
    def private_key(self) -> Path: ...

    @property
    def known_hosts(self) -> Path: ...


class Ops(GitTree):
    """A repository of its own, with what it takes to reach the hosts of a fleet.

    Args:
        directory: empty; everything that `reconcile` keeps stays in it.
        keys: of a fleet; they are put into `~/.ssh` and `known_hosts`.
        settings: further variables of its environment.
    """

    def __init__(self, directory: Path, keys: Keys, settings: Mapping[str, str] | None = None) -> None:
        self.settings = dict(settings or {})
        self.root = directory / "fleet"
        self._home = directory / "home"
        self.root.mkdir(parents=True)
        (self._home / ".ssh").mkdir(mode=0o700, parents=True)
        shutil.copy(keys.private_key, self._home / ".ssh/id_ed25519")
        shutil.copy(keys.known_hosts, self._home / ".ssh/known_hosts")
        self.write(".gitignore", "/.reconciler/\n")
        self.git("init", "--quiet")

    def __call__(self, *words: str) -> Ran:
        """Run `reconcile WORDS` to its end."""
        with self.running(*words) as process:
            out, _ = process.communicate(timeout=_PATIENCE_SECONDS)
        return Ran(process.returncode, out)

    def running(
        self, *words: str, out: int | IO[str] = subprocess.PIPE, err: int = subprocess.STDOUT
    ) -> subprocess.Popen[str]:
        """Start `reconcile WORDS`; in a `with` block, at whose end it has ended."""
        return subprocess.Popen(
            self._command(*words),
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )

    def on_terminal(self, *words: str) -> AbstractContextManager[Terminal]:
        """`reconcile WORDS` on a terminal of its own, while a `with` block runs."""
        return on_terminal(self._command(*words), self.root, self.environment)

    def json(self, *words: str) -> Any:
        """What `reconcile WORDS -o json` prints, whatever it ends with."""
        with self.running(*words, "-o", "json", err=subprocess.PIPE) as process:
            out, said = process.communicate(timeout=_PATIENCE_SECONDS)
        assert out, said
        answer = json.loads(out)
        assert "problems" not in answer, out
        return answer

    def _command(self, *words: str) -> list[str]:
        return [*_RECONCILE, *words]

    @contextmanager
    def watching(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """`reconcile watch WORDS` while the block runs; it has to end cleanly."""
        with self._watch_log.open("w") as log, self.running("watch", *words, out=log) as process:
            try:
                yield process
            finally:
                process.terminate()
        assert process.returncode == 0, self.watch_log

    @property
    def watch_log(self) -> str:
        """What the watch printed."""
        return self._watch_log.read_text()

    @property
    def _watch_log(self) -> Path:
        return self._home / "watch.log"

    def host(self, fleet: Fleet, name: str, labels: str, connection: str = "{}") -> None:
        """Declare a host of the fleet."""
        self.write(
            f"manifests/hosts/{name}.yaml",
            "apiVersion: reconciler/v1\nkind: Host\n"
            f"metadata: {{name: {name}, labels: {{{labels}}}}}\n"
            f"spec: {{address: {fleet[name].address}, connection: {connection}}}\n",
        )

    @contextmanager
    def told(self, settings: Mapping[str, str]) -> Iterator[None]:
        """Further variables of the environment, while the block runs."""
        before = dict(self.settings)
        self.settings.update(settings)
        try:
            yield
        finally:
            self.settings = before

    @contextmanager
    def without_its_key(self) -> Iterator[Path]:
        """What lets in is not where it is looked for while the block runs, but in the file that this gives."""
        key = self._home / ".ssh/id_ed25519"
        away = key.rename(key.with_name("away"))
        try:
            yield away
        finally:
            away.rename(key)

    def write_ssh(self, name: str, text: str) -> Path:
        """Write a file of `~/.ssh`."""
        path = self._home / ".ssh" / name
        path.write_text(text)
        return path

    @contextmanager
    def key_in_agent(self) -> Iterator[None]:
        """What lets in is held by ssh-agent, and stands in no file, while the block runs."""
        socket = self._home / "agent"
        with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
            try:
                until(socket.exists, "ssh-agent")
                told = {"SSH_AUTH_SOCK": str(socket)}
                subprocess.run(
                    ["ssh-add", "-q", self._home / ".ssh/id_ed25519"], env={**os.environ, **told}, check=True
                )
                with self.without_its_key(), self.told(told):
                    yield
            finally:
                agent.terminate()

    def give_wheels(self, wheels: Path) -> None:
        """Have in the cache what agents need, since there is no index to be reached."""
        cache = self._home / ".cache/reconciler"
        cache.mkdir(parents=True)
        (cache / "wheels").symlink_to(wheels)

    def secret(self, path: str, value: str) -> None:
        """Give a secret to this ops server."""
        self.write(f".reconciler/secrets/{path}", value)
        (self.root / ".reconciler").chmod(0o700)
        (self.root / f".reconciler/secrets/{path}").chmod(0o600)

    def copy(self, source: Path, target: str) -> None:
        """Take a file or a folder over into the repository."""
        if source.is_dir():
            shutil.copytree(source, self.root / target, dirs_exist_ok=True)
        else:
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, self.root / target)

    def forget(self) -> None:
        """Lose the key, the store and what was parsed: the next run is the first."""
        shutil.rmtree(self.root / ".reconciler", ignore_errors=True)
        shutil.rmtree(self._home / ".cache", ignore_errors=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """What `reconcile`, and anyone else, finds in its environment here."""
        others = ("RECONCILER_", "XDG_", "SSH_", "PYTHONDONTWRITEBYTECODE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return {**kept, **_settings(self._home), **self.settings}


class LocalOps(Ops):
    """A repository on a host of the fleet, where `reconcile` runs too; the host sees this project (`shows`)."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        super().__init__(fleet[name].files / _ON_HOST.lstrip("/"), fleet)
        self._ssh = ["ssh", "-F", str(fleet.ssh_config), f"root@{name}"]

    def _command(self, *words: str) -> list[str]:
        settings = [f"{name}={value}" for name, value in _settings(Path(_ON_HOST, "home")).items()]
        return [*self._ssh, shlex.join(["env", "-C", f"{_ON_HOST}/fleet", *settings, *_RECONCILE, *words])]


def _settings(home: Path) -> Mapping[str, str]:
    own = {"HOME": str(home), "USER": "tester", "NO_COLOR": "1", "RECONCILER_HOLDER": "ops-1"}
    return {**own, "RECONCILER_RUNTIME_DIR": str(home / "run")}
