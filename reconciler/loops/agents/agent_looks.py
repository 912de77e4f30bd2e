"""A look at hosts that have agents: the agents are asked, look, and answer. Both sides stand here.

What differs stands in Redis afterwards as after every look; the answer adds what is said of it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.clock import Clock, ulid
from reconciler.errors import Place, Problem
from reconciler.loops.converging.executor import Executor
from reconciler.loops.converging.outcome import AppOutcome, HostOutcome
from reconciler.loops.hosts.silence import silent_agents
from reconciler.model.observed import AppStatus, ObservedHost
from reconciler.store import ASK_SECONDS, Look, Store

_POLL_SECONDS = 1.0


def ask_agents(store: Store, clock: Clock, hosts: Sequence[str], apps: Sequence[str] | None) -> Iterator[HostOutcome]:
    """Ask the agents of these hosts; one outcome each, as it comes in. A silent one is unreachable.

    Raises:
        Unavailable: Redis cannot be reached.
    """
    silent = silent_agents(store, clock, hosts)
    yield from (HostOutcome(host, unreachable=why) for host, why in silent.items())
    look = Look(ulid(clock.now()), tuple(apps) if apps is not None else None)
    left = [host for host in hosts if host not in silent]
    store.looks.ask(left, look)
    deadline = clock.monotonic() + ASK_SECONDS
    while left and clock.monotonic() < deadline:
        for host in tuple(left):
            found = store.looks.wait(host, look, _POLL_SECONDS if len(left) == 1 else 0.01)
            if found is not None:
                left.remove(host)
                yield _outcome(host, found, store.observed.read([host]).get(host, ObservedHost()))
        silent = silent_agents(store, clock, left)
        yield from (HostOutcome(host, unreachable=why) for host, why in silent.items())
        left = [host for host in left if host not in silent]
    yield from (HostOutcome(host, unreachable=f"its agent did not answer within {ASK_SECONDS} s") for host in left)


def answer_looks(executor: Executor, host: str) -> None:
    """Look as often as was asked, and answer.

    Raises:
        Unavailable: Redis cannot be reached.
    """
    for look in executor.store.looks.asked(host):
        found = executor.verify(host, look.apps)
        executor.store.looks.answer(host, look, {"apps": [_form(app) for app in found.apps], "why": found.unreachable})


def _form(app: AppOutcome) -> dict[str, Any]:
    problems = [[it.message, it.hint, it.code, it.place.resource] for it in app.problems]
    resources = app.ok + app.changed + app.failed + app.unknown
    return {"app": app.app, "status": app.status.value, "resources": resources, "problems": problems}


def _outcome(host: str, found: Mapping[str, Any], known: ObservedHost) -> HostOutcome:
    """What an agent said; one that says what cannot be understood has said nothing."""
    try:
        apps = tuple(_app(host, form, known) for form in found["apps"])
        return HostOutcome(host, apps, unreachable=str(found["why"]))
    except (LookupError, TypeError, ValueError, AttributeError):
        return HostOutcome(host, unreachable="its agent answered what this version does not understand")


def _app(host: str, form: Mapping[str, Any], known: ObservedHost) -> AppOutcome:
    app = str(form["app"])
    problems = tuple(
        Problem(Place(host=host, app=app, resource=str(resource)), str(message), str(hint), str(code))
        for message, hint, code, resource in form["problems"]
    )
    drift = known.apps[app].drift if app in known.apps else ()
    return AppOutcome(app, AppStatus(form["status"]), ok=int(form["resources"]), problems=problems, drift=drift)
