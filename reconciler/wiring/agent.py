"""Builds and joins what an agent consists of: far less than a session of the ops server, for it must stay small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from reconciler.clock import Clock, SystemClock, chance
from reconciler.errors import InvalidInput
from reconciler.loops.agents.agent import Agent
from reconciler.loops.agents.sealed_secrets import SealedSecrets
from reconciler.loops.converging.confirming import Confirming
from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome import Nobody
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.log import Log
from reconciler.loops.measuring.collector import Collector
from reconciler.loops.measuring.judging import Judging
from reconciler.loops.measuring.sample_writer import SampleWriter
from reconciler.loops.running.run_crew import RunCrew, Told
from reconciler.loops.running.run_executor import RunExecutor
from reconciler.rendering import Renderer
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.measuring.sampling import Sampler
from reconciler.settings import Settings
from reconciler.source.host_files import PinnedKeys, sealing_key
from reconciler.store import Store, open_as_host
from reconciler.transport.local import LocalTransport
from reconciler.trust import Masker, sealing_public

_RENDERERS = 64


@contextmanager
def open_agent(settings: Settings, clock: Clock | None = None) -> Iterator[AgentParts]:
    """The joined objects of an agent, closed at the end. Redis is asked nothing yet.

    Raises:
        InvalidInput: a setting is missing, or the host's keys cannot be used.
        Unavailable: no node of a cluster can be reached.
    """
    for value, variable in ((settings.host, "RECONCILER_HOST"), (settings.fleet, "RECONCILER_FLEET")):
        if not value:
            message = f"{variable} is not set, so it is not known whose agent this is"
            raise InvalidInput.of("not-enrolled", message, hint="Run on the ops server: reconcile hosts enroll HOST")
    clock = clock or SystemClock()
    with ExitStack() as closing:
        pinned = PinnedKeys(settings.agent_dir)
        store = closing.enter_context(open_as_host(settings, clock))
        yield AgentParts(settings, clock, store, pinned)


@dataclass(frozen=True)
class AgentParts:
    """Everything that an agent uses."""

    settings: Settings
    clock: Clock
    store: Store
    pinned: PinnedKeys

    @cached_property
    def masker(self) -> Masker:
        return Masker()

    @cached_property
    def secrets(self) -> SealedSecrets:
        return SealedSecrets(self._sealing_key, self.masker)

    def sealing_public(self) -> str:
        """The key that secrets are sealed to, hexadecimal."""
        return sealing_public(self._sealing_key()).hex()

    def check_functions(self) -> str:
        """What is there; raises Unavailable where nothing is."""
        return self.store.check_functions() or "as this version needs them"

    def check_rights(self) -> str:
        """Do in the host's slot what an agent does; raises InvalidInput where its user may not."""
        self.store.observed.write_facts(self.settings.host, self.facts())
        self.store.desired.read(self.settings.host)
        self.store.desired.bundles(["0" * 64])
        self.store.work.ready(agent=self.settings.host)
        return f"works in the slot of {self.settings.host}"

    def executor(self, confirm: Callable[[str], bool]) -> Executor:
        """Works on this host alone. `confirm`: whether what was applied on trial stands."""
        settings = self.settings
        return Executor(
            fleet=settings.fleet,
            store=self.store,
            reach=self._open,
            crew=Crew(lambda _: True, size=1),
            renderer=lru_cache(_RENDERERS)(Renderer),
            secrets=self.secrets,
            masker=self.masker,
            trusted=lambda: self.pinned.keys,
            holder=f"agent on {settings.host}",
            clock=self.clock,
            listener=Nobody(),
            alone=True,
            confirm=confirm,
            lease_seconds=settings.lease_seconds,
        )

    def run_crew(self, told: Told) -> RunCrew:
        """Carries out runs of jobs on this host; locks are granted on the ops server."""
        settings = self.settings
        executor = RunExecutor(
            fleet=settings.fleet,
            store=self.store,
            reach=self._open,
            renderer=lru_cache(_RENDERERS)(Renderer),
            secrets=self.secrets,
            masker=self.masker,
            trusted=lambda: self.pinned.keys,
            holder=f"agent on {settings.host}",
            clock=self.clock,
            chance=chance,
            lease_seconds=settings.lease_seconds,
        )
        return RunCrew(executor, self.store, self.clock, told, lambda: None)

    def facts(self) -> Mapping[str, Any]:
        """Of this machine."""
        from reconciler.probes.facts import facts  # noqa: PLC0415 - imports psutil

        return facts()

    def agent(self, log: Log, alive: Callable[[], None]) -> Agent:
        """The loop."""
        name = self.settings.host
        confirming = Confirming(name, lambda: self._open(name), self.write_anew, self.clock, log)
        return Agent(
            name,
            self.executor(confirming.confirm),
            confirming,
            runs=self.run_crew,
            pinned=self.pinned,
            collector=self.collector(log),
            facts=self.facts,
            clock=self.clock,
            log=log,
            alive=alive,
        )

    def collector(self, log: Log) -> Collector:
        """Samples this host."""
        from reconciler.probes.readings import read  # noqa: PLC0415 - imports psutil

        sampler = Sampler(read, PosixSystem(str(self.settings.agent_root or "/"), clock=self.clock))
        return Collector(
            sample=lambda _, apps: sampler.sample(apps),
            writer=SampleWriter(self.store, self.clock),
            crew=Crew(lambda _: False, size=1),
            clock=self.clock,
            log=log,
            judge=Judging(self.store, self.clock),
        )

    def write_anew(self) -> None:
        """Write something over a connection that is opened for it; raises ReconcilerError."""
        with open_as_host(self.settings, self.clock) as store:
            store.observed.write_facts(self.settings.host, self.facts())

    def _sealing_key(self) -> bytes:
        return sealing_key(self.settings.agent_dir)

    def _open(self, host: str) -> LocalTransport:
        settings = self.settings
        return LocalTransport(host, settings.fleet, settings.agent_root, self.facts, self.clock)
