"""Alerts: their states and transitions in each host's slot; what people and the monitor say of them in control's.

Hosts write their own, the monitor writes HostStale and what is about the fleet, both by the same step. The monitor sees
from a number that grows with every write which hosts to read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from reconciler.model.alerts import Acknowledgement, ActiveAlert, AlertId, Transition
from reconciler.model.metadata import Metadata, Origin
from reconciler.model.monitoring import Silence
from reconciler.model.selector import Selector
from reconciler.model.times import Window
from reconciler.resources.values import dataclass
from reconciler.store.alert_forms import (
    acknowledgement_form,
    alert_form,
    name_in_slot,
    placed,
    read_acknowledgement,
    read_alert,
    read_transition,
    transition_form,
)
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Link, call, compact, moment, refuse_older
from reconciler.store.reading import Reading, instant, json_map, number, word

TRANSITIONS_KEPT = 1_000
"""Of one host."""
MOST_ALERTS = 2_000
"""Of one host; one that writes more does not fill the monitor's memory."""
OWN = ""
"""Stands for a host where the monitor's own alerts are meant."""
_NOT_OURS = "the monitor's alerts"


@dataclass(frozen=True, slots=True)
class Sweep:
    """How all hosts are at one moment, by the server's clock."""

    now: datetime
    ages: Mapping[str, float | None]
    """Seconds since the last sample; None: there never was one."""
    versions: Mapping[str, int]
    """Grows with every write of a host's alerts; 0: there never was one."""


class Alerts:
    """`Store.alerts`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._keys = keys

    def write(
        self,
        host: str,
        active: Mapping[AlertId, ActiveAlert],
        transitions: Sequence[Transition] = (),
        *,
        term: int = 0,
    ) -> None:
        """Replace what fires, is pending or was resolved a moment ago on a host, and add transitions to its stream.

        Args:
            host: whose alerts they are; OWN for the monitor's.
            active: all of its alerts.
            transitions: what changed since the last write.
            term: of the controller whose monitor writes its own.

        Raises:
            Refused: a later controller's monitor has written.
        """
        alerts: list[Argument] = []
        for alert_id, alert in active.items():
            alerts += [_field(host, alert_id), compact(alert_form(alert))]
        told = [compact(transition_form(_field(host, it.alert.id), it)) for it in transitions]
        command = call("alerts_write", self._slot(host), term, TRANSITIONS_KEPT, len(active), *alerts, *told)
        refuse_older(self._link.send(*command), host or _NOT_OURS, term)

    def read(self, hosts: Iterable[str]) -> Mapping[AlertId, ActiveAlert]:
        """All alerts of these hosts, as they last were."""
        names = list(hosts)
        keys = [self._slot(name) + "alerts" for name in names]
        replies = self._reading.ask_all([("HGETALL", key) for key in keys])
        found: dict[AlertId, ActiveAlert] = {}
        for name, key, reply in zip(names, keys, replies, strict=True):
            bound = 2 * MOST_ALERTS if name else None
            forms = self._reading.hash(key, (reply or ())[:bound], json_map_value)
            alerts = (self._reading.record(key, partial(_alert, name, *pair)) for pair in forms.items())
            found |= {alert.id: alert for alert in alerts if alert}
        return found

    def transitions(self, host: str, limit: int = 50) -> Sequence[Transition]:
        """The latest transitions of a host, the newest first."""
        key = self._slot(host) + "transitions"
        entries = self._reading.ask("XREVRANGE", key, "+", "-", "COUNT", limit) or ()
        forms = [words[1] for _, words in entries]
        return self._reading.records(key, forms, lambda form: read_transition(host, json_map(form)))

    def sweep(self, hosts: Sequence[str]) -> Sweep:
        """When each host last sent a sample, and whether its alerts were written since."""
        slots = [self._slot(host) for host in hosts]
        seconds, microseconds = self._link.send("TIME")
        now = int(seconds) + int(microseconds) / 1e6
        replies = self._reading.ask_all(
            [
                command
                for slot in slots
                for command in (("HGET", slot + "metrics", "sampled_at"), ("HGET", slot + "numbers", "alerts"))
            ]
        )
        ages = {
            host: now - sampled if (sampled := self._sampled(slot, reply)) else None
            for host, slot, reply in zip(hosts, slots, replies[::2], strict=True)
        }
        versions = {
            host: (self._reading.record(slot + "numbers", partial(number, reply)) or 0) if reply else 0
            for host, slot, reply in zip(hosts, slots, replies[1::2], strict=True)
        }
        return Sweep(datetime.fromtimestamp(now, UTC), ages, versions)

    def hold(self, host: str, app: str, seconds: float) -> None:
        """Hold back the alerts of a host that name an app; the mark ends by itself."""
        self._link.send(*call("hold_alerts", self._slot(host), app, int(seconds)))

    def held(self, host: str) -> frozenset[str]:
        """The apps of a host whose alerts are held back now."""
        found = self._link.send(*call("held_alerts", self._slot(host)))
        return frozenset(self._reading.records(self._slot(host) + "applying", found, bytes.decode))

    def acknowledge(self, found: Mapping[AlertId, Acknowledgement]) -> None:
        """Note that someone looks after alerts."""
        words = [word for name, ack in found.items() for word in (str(name), compact(acknowledgement_form(ack)))]
        if words:
            self._link.send("HSET", self._keys.control + "acks", *words)

    def acknowledgements(self) -> Mapping[AlertId, Acknowledgement]:
        """Who looks after what."""
        found = self._control_hash("acks", read_acknowledgement)
        return {AlertId.parse(name): ack for name, ack in found.items()}

    def forget_acknowledgements(self, alerts: Iterable[AlertId]) -> None:
        """Their alerts are over."""
        self._drop("acks", map(str, alerts))

    def silence(self, silence: Silence) -> None:
        """Set a silence by hand, under its name."""
        self._link.send("HSET", self._keys.control + "silences", silence.name, compact(_silence_form(silence)))

    def silences(self) -> Mapping[str, Silence]:
        """Those set by hand, by name; also those that are over."""
        key = self._keys.control + "silences"
        forms = self._control_hash("silences", json_map_value)
        found = (self._reading.record(key, partial(_silence, name, form)) for name, form in sorted(forms.items()))
        return {silence.name: silence for silence in found if silence}

    def forget_silences(self, names: Iterable[str]) -> None:
        """They are over."""
        self._drop("silences", names)

    def _sampled(self, slot: str, reply: bytes | None) -> float | None:
        return self._reading.record(slot + "metrics", lambda: float(reply)) if reply else None

    def _control_hash(self, name: str, make: Any) -> dict[str, Any]:
        key = self._keys.control + name
        return self._reading.hash(key, self._reading.ask("HGETALL", key), make)

    def _drop(self, name: str, fields: Iterable[str]) -> None:
        listed = sorted(fields)
        if listed:
            self._link.send("HDEL", self._keys.control + name, *listed)

    def _slot(self, host: str) -> str:
        return self._keys.host(host) if host else self._keys.control


def json_map_value(form: Any) -> Mapping[str, Any]:
    """A parsed JSON value that must be a map."""
    if not isinstance(form, dict):
        raise TypeError("no map where one is expected")
    return form


def _field(host: str, alert_id: AlertId) -> str:
    """The monitor's own alerts name their host; those in a host's slot do not."""
    return name_in_slot(alert_id) if host else str(alert_id)


def _alert(host: str, name: str, form: Mapping[str, Any]) -> ActiveAlert:
    return read_alert(placed(host, name), form)


def _silence_form(silence: Silence) -> Mapping[str, Any]:
    window = silence.window
    times = {"from": window.start, "until": window.end}
    told = {"match": str(silence.match), "reason": silence.reason, "by": silence.by}
    return {**told, **{name: at.timestamp() for name, at in times.items() if at}}


def _silence(name: str, form: Mapping[str, Any]) -> Silence:
    window = Window(instant(form.get("from")), moment(form["until"]))
    match = Selector.parse(word(form["match"]))
    metadata = Metadata(name, Origin("", 0))
    return Silence(metadata, match, window, word(form.get("reason", "")), word(form.get("by", "")))
