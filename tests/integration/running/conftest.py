"""An executor of runs with a real store, a host in memory that can be out of reach, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.clock import milliseconds
from reconciler.errors import Place, Unavailable
from reconciler.loops.running.live_run import LiveRun
from reconciler.loops.running.run_executor import RunExecutor
from reconciler.model.desired import Bundle
from reconciler.model.run import JobPolicy, Run
from reconciler.model.work import RUN, Claim, Lane, Work
from reconciler.resources.applying import engine
from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import RunEvent, RunFinished, RunRequest
from reconciler.store import Store
from reconciler.transport import Transport
from reconciler.trust import Masker, Permission, Signer, TrustedKey, TrustedKeys
from tests.fakes.clock import FakeClock
from tests.fakes.system import FakeHost

HOST, ID = "web-1", "01J00000000000000000000000"
DEED = ("deed",)
"""The one command of the job."""
EXPIRES_SECONDS = 3600.0
_SIGNER = Signer(b"k" * 32)


def cut() -> Completed:
    """What a command answers whose connection is cut while it runs: nothing is remembered of its end."""
    raise Unavailable.of("connection-lost", "the connection was lost")


@dataclass
class Wire:
    """The way to the host."""

    host: FakeHost
    away: bool = False
    on_the_way: Callable[[], None] = lambda: None
    """What happens while it is being connected to."""
    _stop: str = ""

    def open(self, name: str) -> Transport:
        self.on_the_way()
        if self.away:
            raise Unavailable.of("unreachable", "no route to the host", place=Place(host=name))
        self._stop = ""
        return cast(Transport, self)

    def perform(self, request: RunRequest, tell: Callable[[RunEvent], None]) -> None:
        engine.perform(request, self.host, tell, lambda: self._stop)

    def stop(self, why: str) -> None:
        self._stop = why

    def close(self) -> None:
        pass


@dataclass
class Ops:
    """Someone who asks for one run, and the executor that carries it out when a test says so."""

    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    wire: Wire = field(default_factory=lambda: Wire(FakeHost()))

    @property
    def done(self) -> int:
        """How often the command was run."""
        return len(self.wire.host.commands(*DEED))

    @property
    def work(self) -> Work:
        """The run as it stands in the store."""
        work = self.store.work.get(HOST, ID)
        assert work is not None
        return work

    def ask(self, **policy: Any) -> None:
        """Make the run due; what its job says beside its defaults."""
        says = JobPolicy(**policy)
        steps = {"app": "job/x", "resources": [], "health": [], "templates": {}, "policy": says.to_json()}
        bundle = Bundle.of(steps)
        self.store.desired.put_bundles([bundle])
        run = Run(
            fleet="small",
            host=HOST,
            id=ID,
            job="x",
            bundle=bundle.sha,
            values='{"facts":{}}',
            not_after=milliseconds(self.clock.now()) + int(EXPIRES_SECONDS * 1000),
            by="ann",
            key_id=_SIGNER.key_id,
        )
        self.store.work.enqueue([Work(ID, HOST, RUN, _SIGNER.sign_run(run).to_args("x"), lane=says.lane)])

    def claim(self, *, lane: Lane = Lane.SIDE, lease_seconds: float = 30.0) -> Claim | None:
        """The run, if it is due."""
        found = self.store.work.claim(
            HOST, holder="ops", nonce=str(self.clock.monotonic()), lane=lane, kind=RUN, lease_seconds=lease_seconds
        )
        self.clock.sleep(0.001)
        return found[0] if found else None

    def turn(self) -> RunFinished | None:
        """Carry it out once, if it is due. What was put off is due as soon as this clock says so, or before."""
        claim = self.claim()
        return self.perform(claim) if claim else None

    def perform(self, claim: Claim) -> RunFinished:
        """Carry out what was claimed."""
        return self.executor.perform(self.live(claim))

    def live(self, claim: Claim) -> LiveRun:
        return LiveRun(claim, self.store, self.clock)

    def cancel(self) -> None:
        """Change one's mind."""
        assert self.store.work.cancel(HOST, ID)

    @property
    def executor(self) -> RunExecutor:
        step = SimpleNamespace(
            id="deed", kind="command", name="deed", fields={"argv": [*DEED]}, fingerprint="f", keep=False, secrets=()
        )
        rendered = SimpleNamespace(resources=[step])
        trusted = TrustedKeys.of(1, [TrustedKey(_SIGNER.public, frozenset({Permission.RUN}))])
        return RunExecutor(
            fleet="small",
            store=self.store,
            reach=self.wire.open,
            renderer=cast(Any, lambda _: SimpleNamespace(render=lambda *_, **__: rendered)),
            secrets=cast(Any, SimpleNamespace(of_run=lambda *_: {})),
            masker=Masker(),
            trusted=lambda: trusted,
            holder="ops",
            clock=self.clock,
            chance=lambda: 0.5,
        )


@pytest.fixture
def ops(store: Store) -> Ops:
    return Ops(store)
