"""Hosts over SSH: connections that are kept and used again, and the Transport that speaks over one of them.

Opened by `reach`. The resource library runs at the far end for as long as the connection lasts, so that a look or an
apply of an app is one round trip.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import Place, Unavailable
from reconciler.resources.protocol import (
    Event,
    Request,
    RunEvent,
    RunRequest,
    event_from_json,
    request_to_json,
    run_event_from_json,
    run_to_json,
)
from reconciler.resources.records.ledger import Ledger, ledger_from_json
from reconciler.transport.dialing import Dialer, hang_up
from reconciler.transport.machine import SshMachine
from reconciler.transport.route import Route
from reconciler.transport.runner import PING_SECONDS, Runner
from reconciler.transport.shipment import shipment
from reconciler.transport.ssh_config import UserConfig

MOST_KEPT = 1000
"""Idle connections; each takes a thread, a socket and 85 KiB here, and a process of 16 MB on its host."""


class SshTransport:
    """One host, for one piece of work; see Transport.

    Args:
        address: fleet, host and root, which every question carries.
        greeting: what the host said of itself when we came.
        give_back: takes the runner when the work is done.
    """

    def __init__(
        self, address: Mapping[str, str], runner: Runner, greeting: Mapping[str, Any], give_back: Callable[[], None]
    ) -> None:
        self._address = address
        self._runner = runner
        self._greeting: Mapping[str, Any] | None = greeting
        self._facts: Mapping[str, Any] = greeting["facts"]
        self._give_back = give_back

    def facts(self) -> Mapping[str, Any]:
        """See Transport; as they were when the work began."""
        return self._facts

    def ledger(self) -> Ledger:
        """See Transport."""
        if self._greeting is None:
            self._greeting = self._runner.only(self._runner.ask(self._question("greet")))
        return ledger_from_json(self._greeting["ledger"])

    def apply(self, request: Request) -> Iterator[Event]:
        """See Transport."""
        self._greeting = None
        return map(event_from_json, self._runner.ask(self._question("apply", request=request_to_json(request))))

    def inspect(self, request: Request) -> Iterator[Event]:
        """See Transport."""
        return map(event_from_json, self._runner.ask(self._question("inspect", request=request_to_json(request))))

    def perform(self, request: RunRequest, tell: Callable[[RunEvent], None]) -> None:
        """See Transport."""
        for reply in self._runner.ask(self._question("perform", request=run_to_json(request)), endless=True):
            tell(run_event_from_json(reply))

    def stop(self, why: str) -> None:
        """See Transport."""
        self._runner.interject({"do": "stop", "why": why})

    def pause(self, app: str, reason: str) -> None:
        """See Transport."""
        self._greeting = None
        list(self._runner.ask(self._question("pause", app=app, reason=reason)))

    def forgive(self, app: str) -> None:
        """Forget which digests of an app failed here, so that they may be tried again."""
        self._greeting = None
        list(self._runner.ask(self._question("forgive", app=app)))

    def errand(self, do: str, **values: Any) -> Mapping[str, Any]:
        """One of `resources.errands`, and its answer."""
        return self._runner.only(self._runner.ask(self._question(do, **values)))

    def close(self) -> None:
        """See Transport. The connection stays for the next work if it is fit for it."""
        self._give_back()

    def _question(self, do: str, **values: Any) -> Mapping[str, Any]:
        return {"do": do, **self._address, **values}


class Connections:
    """Opens hosts, and keeps what is idle until it is closed."""

    def __init__(self, clock: Clock, home: Path | None = None) -> None:
        self._clock = clock
        self._config = UserConfig(home)
        self._dialer = Dialer()
        self._lock = threading.Lock()
        self._idle: OrderedDict[Route, Runner] = OrderedDict()
        self._coming: dict[Route, Future[None]] = {}
        self._over = threading.Event()
        self._pinger: threading.Thread | None = None
        threading.Thread(target=shipment, name="packer", daemon=True).start()  # while the first host is dialed

    def approach(self, route: Route, fleet: str, root: str = "/") -> None:
        """Begin to dial a host that will be opened soon; `open` then waits for that, and shares how it ends."""
        coming: Future[None] = Future()
        with self._lock:
            if route in self._idle or route in self._coming:
                return
            self._coming[route] = coming
        arguments = (route, _address(route, fleet, root), coming)
        threading.Thread(target=self._come, args=arguments, name=f"to {route.host}", daemon=True).start()

    def open(self, route: Route, fleet: str, root: str = "/") -> SshTransport:
        """The host, connected and ready for questions.

        Args:
            route: the way there.
            fleet: whose ledger is meant.
            root: the sandbox's directory on the host; `/`: the host itself.

        Raises:
            Unavailable: it cannot be reached, is another one than expected, lets us not in, or has no Python.
        """
        address = _address(route, fleet, root)
        with self._lock:
            coming = self._coming.pop(route, None)
        if coming is not None:
            coming.result()
        runner, greeting = self._asked(route, _greeting(address))
        return SshTransport(address, runner, greeting, lambda: self._keep(route, runner))

    def sample(self, route: Route, root: str, apps: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """One sample of the host, in one round trip where a connection is there; see `resources.sampling`.

        Raises:
            Unavailable: as `open`.
        """
        runner, sample = self._asked(route, {"do": "sample", **_address(route, "", root), "apps": apps})
        self._keep(route, runner)
        return sample

    def machine(self, route: Route, fleet: str) -> SshMachine:
        """The whole host, to install something on it; raises as `open`."""
        transport = self.open(route, fleet)
        return SshMachine(transport.errand, transport.close)

    def close(self) -> None:
        """Let go of every host."""
        self._over.set()
        if self._pinger is not None:
            self._pinger.join()
        with self._lock:
            idle, self._idle = list(self._idle.values()), OrderedDict()
        for runner in idle:
            runner.close()
        self._dialer.close()

    def _come(self, route: Route, address: Mapping[str, str], coming: Future[None]) -> None:
        try:
            runner, _ = self._dialed(route, _greeting(address))
            self._keep(route, runner)
        except BaseException as error:  # noqa: BLE001 - raised where the host is opened
            coming.set_exception(error)
        else:
            coming.set_result(None)

    def _asked(self, route: Route, question: Mapping[str, Any]) -> tuple[Runner, Mapping[str, Any]]:
        """Ask over an idle connection that still stands, else over a new one."""
        runner = self._taken(route)
        if runner is not None:
            try:
                return runner, runner.only(runner.ask(question))
            except Unavailable:
                runner.close()
        return self._dialed(route, question)

    def _dialed(self, route: Route, question: Mapping[str, Any]) -> tuple[Runner, Mapping[str, Any]]:
        """A new connection, and the answer to the first question."""
        way = self._config.way(route)
        try:
            connection = self._dialer.connect(way)
        except Unavailable as error:
            raise _of_host(route.host, error) from error
        runner = Runner(route.host, connection, self._clock, user=way[-1].user, become=route.become)
        try:
            return runner, runner.only(runner.start(question))
        except BaseException:
            hang_up(connection)
            raise

    def _taken(self, route: Route) -> Runner | None:
        with self._lock:
            return self._idle.pop(route, None)

    def _keep(self, route: Route, runner: Runner) -> None:
        dropped = [runner]
        if runner.fit and not self._over.is_set():
            with self._lock:
                before = self._idle.pop(route, None)
                self._idle[route] = runner
                dropped = [before] if before else []
                if len(self._idle) > MOST_KEPT:
                    dropped.append(self._idle.popitem(last=False)[1])
                if self._pinger is None:
                    self._pinger = threading.Thread(target=self._ping_all, name="ssh-pinger", daemon=True)
                    self._pinger.start()
        for each in dropped:
            each.close()

    def _ping_all(self) -> None:
        """Keep the far ends of idle connections from ending themselves."""
        while not self._over.wait(PING_SECONDS):
            with self._lock:
                routes = list(self._idle)
            for route in routes:
                runner = self._taken(route)
                if runner is not None and not runner.ping():
                    runner.close()
                elif runner is not None:
                    self._keep(route, runner)


def _address(route: Route, fleet: str, root: str) -> Mapping[str, str]:
    return {"fleet": fleet, "host": route.host, "root": root}


def _greeting(address: Mapping[str, str]) -> Mapping[str, str]:
    return {"do": "greet", **address}


def _of_host(host: str, error: Unavailable) -> Unavailable:
    """The error with the host's name, where a jump host on the way is meant."""
    problem = error.problems[0]
    if problem.place.host == host:
        return error
    text = f"by way of {problem.place.host}: {problem.message}"
    return Unavailable.of(problem.code, text, place=Place(host=host), hint=problem.hint)
