"""A fleet of agents, on single servers and on a cluster: each agent has its own Redis user and its own root."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.settings import Settings, load
from reconciler.source.host_files import write_keys
from reconciler.source.keys import load_or_create_key
from reconciler.store import Store, open_store
from reconciler.store.opening import at_url
from reconciler.trust import Permission, Signer, TrustedKey, TrustedKeys
from reconciler.wiring.agent import AgentParts, open_agent
from tests.integration.cli.conftest import Repository, repository
from tests.processes import Beside, beside, started

__all__ = ["repository"]

FLEET = "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: edges}\nspec: {}\n"
HOST = """apiVersion: reconciler/v1
kind: Host
metadata: {name: HOST, labels: {role: edge}}
spec: {address: 127.0.0.1, connection: {type: agent, sealingKey: KEY}}
"""
APP = """apiVersion: reconciler/v1
kind: App
metadata: {name: hello}
spec:
  hosts: role=edge
  verifyEvery: 1s
  config: {greeting: Hello}
  resources:
    - file: {path: /etc/hello, content: "{{ greeting }} from {{ host.name }}\\n"}
"""


everywhere = pytest.mark.parametrize(
    "server_url",
    ["valkey", pytest.param("cluster", marks=pytest.mark.cluster), "redis"],
    indirect=True,
    scope="session",
)
"""For tests of what servers may differ in; the others run on one Valkey."""


@dataclass(frozen=True)
class Edge:
    """One host with an agent."""

    name: str
    environment: dict[str, str]
    root: Path
    """What the agent takes for the host's root."""

    @property
    def settings(self) -> Settings:
        return load(self.root, self.environment, need_repository=False)

    @contextmanager
    def parts(self) -> Iterator[AgentParts]:
        """What the agent is made of, with its own user, in this process."""
        with open_agent(self.settings) as parts:
            yield parts

    def beside(self, *words: str) -> AbstractContextManager[Beside]:
        """`reconcile agent WORDS` as a process of its own, killed after the block."""
        return beside(["agent", *words], self.root, {**_surroundings(), **self.environment})

    def started(self) -> AbstractContextManager[Beside]:
        """`reconcile agent` as systemd starts it: nothing is loaded before."""
        return started(["agent"], self.root, {**_surroundings(), **self.environment})

    @contextmanager
    def serving(self) -> Iterator[Beside]:
        """The agent at work while the block runs, ended by SIGTERM."""
        with self.beside() as agent:
            yield agent
            agent.sends(signal.SIGTERM)
            agent.ends()

    def file(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str:
        file = self.file(path)
        return file.read_text() if file.exists() else ""


@dataclass(frozen=True)
class Fleet:
    """The ops server's side, with hosts that have agents."""

    ops: Repository
    url: str
    store: Store
    edges: dict[str, Edge]


def _surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("RECONCILER_")}


@pytest.fixture
def fleet(repository: object, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Two hosts, `edge-1` and `edge-2`; their users are set, their agents do not run yet."""
    ops: Repository = repository()  # type: ignore[operator]
    monkeypatch.setenv("RECONCILER_REDIS_URL", server_url)
    opened = at_url(server_url, SystemClock())
    opened.link.ask_primaries("FLUSHALL")
    opened.close()
    ops.write("manifests/fleet.yaml", FLEET)
    ops.write("manifests/apps/hello.yaml", APP)
    ops.write(".gitignore", "/.reconciler/\n")
    (ops.root / ".reconciler").mkdir(mode=0o700)
    signer = Signer(load_or_create_key(ops.root / ".reconciler"))
    with open_store(load(ops.root, os.environ)) as store:
        edges = {name: _edge(name, tmp_path, server_url, store, signer) for name in ("edge-1", "edge-2")}
        for name, edge in edges.items():
            with edge.parts() as parts:
                ops.write(
                    f"manifests/hosts/{name}.yaml", HOST.replace("HOST", name).replace("KEY", parts.sealing_public())
                )
        ops.commit("two hosts")
        yield Fleet(ops, server_url, store, edges)


def _edge(name: str, tmp_path: Path, url: str, store: Store, signer: Signer) -> Edge:
    directory, root, password = tmp_path / f"{name}-agent", tmp_path / name, tmp_path / f"{name}-password"
    root.mkdir()
    password.write_text(f"password of {name}\n")
    write_keys(directory, TrustedKeys.of(1, [TrustedKey(signer.public, frozenset(Permission))]))
    store.users.set(name, f">password of {name}")
    environment = {
        "RECONCILER_HOST": name,
        "RECONCILER_FLEET": "edges",
        "RECONCILER_REDIS_URL": url.replace("://", f"://reconciler-{name}@"),
        "RECONCILER_REDIS_PASSWORD_FILE": str(password),
        "RECONCILER_AGENT_DIR": str(directory),
        "RECONCILER_AGENT_ROOT": str(root),
    }
    return Edge(name, environment, root)
