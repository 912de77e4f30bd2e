"""A repository of its own, an embedded server of its own, and the command line on them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli import main
from reconciler.clock import SystemClock
from reconciler.settings import load
from reconciler.store import Store, open_store
from reconciler.store.opening import embedded
from tests.git import GitTree
from tests.processes import RECONCILE, Beside, beside, started
from tests.terminal import Terminal, on_terminal

EXAMPLE = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.strip().splitlines()[-1] if self.out.strip() else ""


@dataclass
class Repository(GitTree):
    """A fleet's repository with `reconcile` in it."""

    root: Path
    environment: Mapping[str, str]
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Ran:
        """Run `reconcile WORDS` in this process."""
        self.capture.readouterr()
        try:
            code = main([*words, "-C", str(self.root)] if words and words[0] != "-C" else list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        told = self.capture.readouterr()
        return Ran(code, told.out, told.err)

    def beside(self, *words: str) -> AbstractContextManager[Beside]:
        """`reconcile WORDS` as a process of its own, killed after the block."""
        return beside(words, self.root, {**os.environ, **self.environment})

    def started(self, *words: str) -> AbstractContextManager[Beside]:
        """The same with a process that loads itself."""
        return started(words, self.root, {**os.environ, **self.environment})

    def on_terminal(self, *words: str) -> AbstractContextManager[Terminal]:
        """`reconcile WORDS` on a terminal, killed after the block."""
        return on_terminal([*RECONCILE, *words], self.root, self.environment)

    def redis(self, *command: str) -> object:
        """What other programs do in the embedded Redis."""
        runtime = Path(self.environment["RECONCILER_RUNTIME_DIR"])
        opened = embedded(self.root / ".reconciler/store", runtime, SystemClock())
        try:
            return opened.link.send(*command)
        finally:
            opened.close()

    def on_host(self, path: str, host: str = "demo") -> Path:
        """A file of a sandbox host."""
        return self.root / ".reconciler" / "sandbox" / host / path.lstrip("/")


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[], Repository]]:
    """Makes an empty repository; its embedded server is gone when the test ends."""
    runtime = tempfile.mkdtemp(prefix="rc-")
    environment = {
        "RECONCILER_RUNTIME_DIR": runtime,
        "RECONCILER_CACHE_DIR": str(tmp_path / "cache"),
        "RECONCILER_HOLDER": "ops-1",
        "USER": "tester",
        "NO_COLOR": "1",
    }
    for name in [name for name in os.environ if name.startswith("RECONCILER_") or name == "SUDO_USER"]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def make() -> Repository:
        root = tmp_path / "fleet"
        root.mkdir()
        made = Repository(root, environment, capsys)
        made.git("init", "--quiet")
        return made

    yield make
    _end_servers(tmp_path)
    shutil.rmtree(runtime, ignore_errors=True)


def _end_servers(below: Path) -> None:
    """End the embedded servers whose last user was killed; others have ended, and removed the file with their pid."""
    for left in below.glob("*/.reconciler/store/server.pid"):
        with suppress(ProcessLookupError):
            os.kill(int(left.read_text()), signal.SIGTERM)


@pytest.fixture
def example(repository: Callable[[], Repository]) -> Repository:
    """The example fleet of this project, committed, with its secret."""
    made = repository()
    for folder in ("manifests", "templates"):
        shutil.copytree(EXAMPLE / folder, made.root / folder)
    made.write(".gitignore", "/.reconciler/\n")
    made.write(".reconciler/secrets/webapp/mysql_pass", "correct horse battery\n")
    (made.root / ".reconciler").chmod(0o700)
    (made.root / ".reconciler/secrets/webapp/mysql_pass").chmod(0o600)
    made.commit("the example fleet")
    return made


@pytest.fixture
def small(repository: Callable[[], Repository]) -> Repository:
    """A fleet of one sandbox host `demo` with one app `hello`, committed."""
    made = repository()
    made.write(".gitignore", "/.reconciler/\n")
    made.write(
        "manifests/fleet.yaml",
        "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: small}\nspec: {}\n",
    )
    made.write("manifests/hosts/demo.yaml", host("demo"))
    made.write(
        "manifests/apps/hello.yaml",
        "apiVersion: reconciler/v1\n"
        "kind: App\n"
        "metadata: {name: hello}\n"
        "spec:\n"
        "  hosts: role=web\n"
        "  config: {greeting: Hello}\n"
        "  resources:\n"
        "    - file: {path: /etc/hello, template: hello.j2}\n",
    )
    made.write("templates/hello.j2", "{{ greeting }} from {{ host.name }}\n")
    made.commit("a small fleet")
    return made


def host(name: str, labels: str = "role: web", *more: str) -> str:
    """The manifest of a sandbox host."""
    return "\n".join(
        [
            "apiVersion: reconciler/v1",
            "kind: Host",
            f"metadata: {{name: {name}, labels: {{{labels}}}}}",
            "spec:",
            "  address: 127.0.0.1",
            "  connection: {type: local}",
            f"  sandboxRoot: .reconciler/sandbox/{name}",
            *more,
            "",
        ]
    )


def scrubbed(text: str) -> str:
    """Without what differs from run to run: durations, key ids, plan ids, commit hashes, times."""
    for pattern, instead in {
        r"\b\d+\.\d+s\b": "N.Ns",
        r"\bkey [0-9a-f]{16}\b": "key KEY",
        r"\bPlan id: [0-9a-f]{16}\b": "Plan id: ID",
        r"\b[0-9a-f]{7}(\+changes)?\b": "REVISION",
        r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\S*": "TIME",
        r"(?m)\b(\d+[smh] ago|now) *(?=  |;|$)": "AGE",
        r"\bSEEN *(?=  )": "SEEN",
        r"pid \d+": "pid N",
    }.items():
        text = re.sub(pattern, instead, text)
    return text


@pytest.fixture
def store(small: Repository) -> Iterator[Store]:
    """The fleet's store, as someone with write access to Redis has it."""
    small("apply", "--yes")
    with open_store(load(small.root, os.environ)) as opened:
        yield opened
