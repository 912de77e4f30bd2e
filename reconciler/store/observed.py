"""What hosts are: the short form of every app, the long form of what was last applied, facts, and the ledger's mirror.

Written by executors with their token, read by the planner: the short forms of the whole fleet, long forms only where
something differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.model.observed import Applied, AppStatus, Drift, ObservedApp, ObservedHost
from reconciler.resources.values import replace
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Command, Link, call, compact, flat
from reconciler.store.reading import Reading, instant, json_map, number, whole, word, word_map, words

_STATUS = {status.value: status for status in AppStatus}
_HOSTS_AT_ONCE = 500
_LONGEST_REASON = 2_000
_CONTACT = ("seen_at", "unreachable", "unreachable_since")
"""What stands among the facts and is none: when the host was reached, and why it no longer is."""


class ObservedState:
    """`Store.observed`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys

    def hosts(self) -> frozenset[str]:
        """Every host that a controller wrote of and none forgot."""
        key = self._keys.control + "hosts"
        return frozenset(self._reading.records(key, self._reading.ask("SMEMBERS", key) or (), bytes.decode))

    def read(self, hosts: Iterable[str]) -> Mapping[str, ObservedHost]:
        """Those of the hosts that were ever heard from, in name order."""
        names = sorted(set(hosts))
        found: dict[str, ObservedHost] = {}
        for first in range(0, len(names), _HOSTS_AT_ONCE):
            some = names[first : first + _HOSTS_AT_ONCE]
            replies = iter(self._reading.ask_all([command for name in some for command in self._questions(name)]))
            for name, apps, facts, ledger, sent in zip(some, replies, replies, replies, replies, strict=False):
                if apps or facts or ledger:
                    found[name] = self._host(name, apps, facts, ledger, sent)
        return found

    def applied(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Applied]:
        """The long forms of (host, app) pairs, where there are any."""
        wanted = sorted(set(pairs))
        keys = [f"{self._keys.host(host)}applied:{app}" for host, app in wanted]
        replies = self._reading.ask_all([("GET", key) for key in keys])
        forms = [(pair, key, reply) for pair, key, reply in zip(wanted, keys, replies, strict=True) if reply]
        found = {pair: self._reading.record(key, partial(_applied, reply)) for pair, key, reply in forms}
        return {pair: applied for pair, applied in found.items() if applied}

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
        """Replace what is known of the machine, which was reached just now."""
        values = {name: compact(value) for name, value in sorted(facts.items())}
        self._link.send(*call("facts_write", self._keys.host(host), *flat(values)))

    def ages(self, hosts: Iterable[str]) -> Mapping[str, float | None]:
        """Seconds since each host was last heard from, by Redis' clock; None: never."""
        names = sorted(hosts)
        replies = self._reading.ask_all([call("facts_age", self._keys.host(name)) for name in names])
        pairs = zip(names, replies, strict=True)
        return {
            name: self._reading.record(self._keys.host(name) + "facts", partial(_age, reply)) if reply else None
            for name, reply in pairs
        }

    def write_unreachable(self, host: str, reason: str) -> None:
        """Record that the host could not be reached, and since when; the next facts end that."""
        self._link.send(*call("unreachable_write", self._keys.host(host), compact(reason[:_LONGEST_REASON])))

    def write_ledger(
        self, host: str, *, generation: int = 0, paused: Mapping[str, str] | None = None, rejected: Iterable[str] = ()
    ) -> None:
        """Mirror what the host's own ledger says."""
        mirror = compact({"generation": generation, "paused": dict(paused or {}), "rejected": sorted(rejected)})
        self._link.send("SET", self._keys.host(host) + "ledger", mirror)

    def _host(
        self, name: str, apps: Sequence[bytes], facts: Sequence[bytes], ledger: bytes | None, sent: bytes | None
    ) -> ObservedHost:
        slot, reading = self._keys.host(name), self._reading
        known = reading.hash(slot + "facts", facts, lambda fact: fact)
        whole_facts = bool(facts) and len(known) == len(facts) // 2
        contact = {name: known.pop(name, None) for name in _CONTACT}
        since, reason = (contact[name] for name in ("unreachable_since", "unreachable"))
        mirror = reading.record(slot + "ledger", partial(_mirror, ledger)) or ObservedHost()
        highest = reading.record(slot + "numbers", partial(number, sent)) or 0
        return replace(
            mirror,
            apps=reading.hash(slot + "observed", apps, _app),
            facts=known if whole_facts and contact["seen_at"] else None,
            generation=max(mirror.generation, highest),
            seen_at=reading.record(slot + "facts", partial(instant, contact["seen_at"])),
            unreachable=reading.record(slot + "facts", partial(word, reason or "")) or "",
            unreachable_since=reading.record(slot + "facts", partial(instant, since)),
        )

    def _written(self, host: str, token: int, arguments: Sequence[Argument]) -> bool:
        command = call("observed_write", self._keys.host(host), token, *arguments)
        return bool(self._link.send(*command))

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
        form["drift"] = [_drift_form(drift) for drift in app.drift]
    times = {"finished_at": app.finished_at, "verified_at": app.verified_at}
    form |= {name: value.timestamp() for name, value in times.items() if value}
    return compact(form)


def _age(reply: bytes) -> float:
    seconds = float(reply)
    if not math.isfinite(seconds):
        raise ValueError("no time")
    return seconds


def _mirror(ledger: bytes | None) -> ObservedHost:
    """What the ledger's mirror says of a host."""
    found = json_map(ledger) if ledger else {}
    return ObservedHost(
        generation=whole(found.get("generation", 0)),
        paused=word_map(found.get("paused", {})),
        rejected=frozenset(words(found.get("rejected", []))),
    )


def _app(form: Mapping[str, Any]) -> ObservedApp:
    get = form.get
    return ObservedApp(
        whole(form["generation"]),
        word(form["digest"]),
        _STATUS[form["status"]],
        word(get("revision", "")),
        word(get("secrets", "")),
        word(get("error", "")),
        tuple(map(_drift, form["drift"])) if "drift" in form else (),
        instant(get("finished_at")),
        instant(get("verified_at")),
    )


def _drift_form(drift: Drift) -> dict[str, Any]:
    lists = {"differences": drift.differences, "diff": drift.diff}
    return {"resource": drift.resource, "action": drift.action} | {name: it for name, it in lists.items() if it}


def _drift(form: Mapping[str, Any]) -> Drift:
    lists = (words(form.get(name, [])) for name in ("differences", "diff"))
    return Drift(word(form["resource"]), word(form["action"]), *lists)


def _long_form(applied: Applied) -> str:
    form = {"bundle": applied.bundle, "values": applied.values, "resources": dict(applied.resources)}
    return compact({**form, "adopted": list(applied.adopted), "changed": dict(applied.changed)})


def _applied(form: bytes) -> Applied:
    found = json_map(form)
    values = word(found["values"])
    json_map(values)
    resources, changed = word_map(found["resources"]), word_map(found.get("changed", {}))
    return Applied(word(found["bundle"]), values, resources, words(found["adopted"]), changed)
