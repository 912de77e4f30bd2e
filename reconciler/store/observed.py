"""What hosts are: the short form of every app, the long form of what was last applied, facts, and the ledger's mirror.

Written by executors with their token, read by the planner: the short forms of the whole fleet, long forms only where
something differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.observed import Applied, AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Command, Link, call, compact, flat, moment, text

_STATUS = {status.value: status for status in AppStatus}
_HOSTS_AT_ONCE = 500


class ObservedState:
    """`Store.observed`."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    def hosts(self) -> frozenset[str]:
        """Every host that anything was written of."""
        return frozenset(map(text, self._link.send("SMEMBERS", self._keys.control + "hosts")))

    def read(self, hosts: Iterable[str] | None = None) -> Mapping[str, ObservedHost]:
        """The hosts that were ever heard from, in name order; None asks for all."""
        names = sorted(self.hosts() if hosts is None else set(hosts))
        found: dict[str, ObservedHost] = {}
        for first in range(0, len(names), _HOSTS_AT_ONCE):
            some = names[first : first + _HOSTS_AT_ONCE]
            replies = iter(self._link.send_all([command for name in some for command in self._questions(name)]))
            for name, apps, facts, ledger, sent in zip(some, replies, replies, replies, replies, strict=False):
                if apps or facts or ledger:
                    found[name] = _host(apps, facts, ledger, sent)
        return found

    def applied(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Applied]:
        """The long forms of (host, app) pairs, where there are any."""
        wanted = sorted(set(pairs))
        replies = self._link.send_all([("GET", f"{self._keys.host(host)}applied:{app}") for host, app in wanted])
        return {pair: _applied(reply) for pair, reply in zip(wanted, replies, strict=True) if reply is not None}

    def write(self, host: str, apps: Mapping[str, tuple[ObservedApp, Applied | None]], token: int) -> bool:
        """Record how apps are; None keeps the long form as it was. False: a later executor has written, nothing was."""
        arguments: list[Argument] = []
        for app, (observed, applied) in sorted(apps.items()):
            arguments += [app, short_form(observed), _long_form(applied) if applied else ""]
        return self._written(host, token, arguments)

    def remove_app(self, host: str, app: str, token: int) -> bool:
        """Record that an app is gone from a host. False: a later executor has written, nothing was."""
        return self._written(host, token, [app, "", ""])

    def write_facts(self, host: str, facts: Mapping[str, Any]) -> None:
        """Replace what is known of the machine."""
        values = {name: compact(value) for name, value in sorted(facts.items())}
        self._link.send_all([self._known(host), call("facts_write", self._keys.host(host), *flat(values))])

    def write_ledger(
        self, host: str, *, generation: int = 0, paused: Mapping[str, str] | None = None, rejected: Iterable[str] = ()
    ) -> None:
        """Mirror what the host's own ledger says."""
        mirror = compact({"generation": generation, "paused": dict(paused or {}), "rejected": sorted(rejected)})
        self._link.send_all([self._known(host), ("SET", self._keys.host(host) + "ledger", mirror)])

    def _written(self, host: str, token: int, arguments: Sequence[Argument]) -> bool:
        command = call("observed_write", self._keys.host(host), token, *arguments)
        return bool(self._link.send_all([self._known(host), command])[1])

    def _known(self, host: str) -> Command:
        return ("SADD", self._keys.control + "hosts", host)

    def _questions(self, host: str) -> tuple[Command, ...]:
        slot = self._keys.host(host)
        return (
            ("HGETALL", slot + "observed"),
            ("HGETALL", slot + "facts"),
            ("GET", slot + "ledger"),
            ("HGET", slot + "numbers", "generation"),
        )


def short_form(app: ObservedApp) -> str:
    """The text under an app's name in `rc:{HOST}:observed`; what is empty is left out, times are Unix seconds."""
    form: dict[str, Any] = {"generation": app.generation, "digest": app.digest, "status": app.status.value}
    texts = {"revision": app.revision, "secrets": app.secrets, "error": app.error}
    form |= {name: value for name, value in texts.items() if value}
    if app.drift:
        form["drift"] = [[drift.resource, drift.action, *drift.differences] for drift in app.drift]
    times = {"finished_at": app.finished_at, "verified_at": app.verified_at}
    form |= {name: value.timestamp() for name, value in times.items() if value}
    return compact(form)


def _host(apps: Sequence[bytes], facts: Sequence[bytes], ledger: bytes | None, sent: bytes | None) -> ObservedHost:
    mirror = json.loads(ledger) if ledger else {}
    known = _parsed(facts)
    known.pop("seen_at", None)
    return ObservedHost(
        apps={name: _app(form) for name, form in _parsed(apps).items()},
        facts=known if facts else None,
        generation=max(int(mirror.get("generation", 0)), int(sent or 0)),
        paused=mirror.get("paused", {}),
        rejected=frozenset(mirror.get("rejected", ())),
    )


def _parsed(reply: Sequence[bytes]) -> dict[str, Any]:
    """A hash whose values are JSON; they are parsed at once, since a call costs more than a short value."""
    names = map(bytes.decode, reply[::2])
    return dict(zip(names, json.loads((b"[" + b",".join(reply[1::2]) + b"]").decode()), strict=True))


def _app(form: Mapping[str, Any]) -> ObservedApp:
    get = form.get
    return ObservedApp(
        form["generation"],
        form["digest"],
        _STATUS[form["status"]],
        get("revision", ""),
        get("secrets", ""),
        get("error", ""),
        tuple(Drift(entry[0], entry[1], tuple(entry[2:])) for entry in form["drift"]) if "drift" in form else (),
        moment(get("finished_at")),
        moment(get("verified_at")),
    )


def _long_form(applied: Applied) -> str:
    form = {"bundle": applied.bundle, "values": applied.values, "resources": dict(applied.resources)}
    return compact({**form, "adopted": list(applied.adopted)})


def _applied(form: bytes) -> Applied:
    found = json.loads(form)
    return Applied(found["bundle"], found["values"], found["resources"], tuple(found["adopted"]))
