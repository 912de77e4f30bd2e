"""How far each schedule has come, and which ones people have suspended: small records in the slot of control.

Written by the scheduler that leads, read by commands. A write names the version that it rests on, so that of two
schedulers that decide at once only one is heard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from reconciler.model.scheduled import Decision, Held, Occurrence, Outcome, Progress, ScheduleState, Suspension
from reconciler.resources.values import dataclass
from reconciler.store.keys import Keys
from reconciler.store.link import Command, Link, call, compact
from reconciler.store.reading import Reading, instant, json_map, word, words

KEPT_SECONDS = 30 * 86_400
"""After a schedule left the manifests, or everybody who looks after it went away."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A state as it stands in Redis."""

    state: ScheduleState
    version: str = ""
    """Empty: it was never written."""


class ScheduleRecords:
    """`Store.schedules`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._keys = keys
        self._reading = reading
        self._suspended = keys.control + "suspended"

    def read(self, names: Iterable[str]) -> Mapping[str, Recorded]:
        """The states of these schedules; those of which nothing is known are left out."""
        asked = [(name, self._keys.schedule(name)) for name in names]
        replies = self._reading.ask_all([("HMGET", key, "version", "state") for _, key in asked])
        found = {
            name: self._reading.record(key, partial(_recorded, *reply))
            for (name, key), reply in zip(asked, replies, strict=True)
            if reply and reply[1]
        }
        return {name: record for name, record in found.items() if record}

    def write(self, records: Mapping[str, Recorded]) -> Mapping[str, Recorded]:
        """Replace states, each of the version with which it comes; those that were written, with their new versions."""
        forms = {name: compact(_state_form(record.state)) for name, record in records.items()}
        versions = {name: _version(records[name].version, form) for name, form in forms.items()}
        replies = self._link.send_all([self._write(name, records[name], versions[name], forms[name]) for name in forms])
        return {
            name: Recorded(records[name].state, versions[name])
            for name, written in zip(forms, replies, strict=True)
            if written
        }

    def keep(self, names: Iterable[str]) -> None:
        """Let these records live on."""
        self._link.send_all([("EXPIRE", self._keys.schedule(name), KEPT_SECONDS) for name in names])

    def suspensions(self) -> Mapping[str, Suspension]:
        """Schedules that people have suspended."""
        found = self._reading.ask("HGETALL", self._suspended)
        return self._reading.hash(self._suspended, found, _suspension)

    def suspend(self, name: str, suspension: Suspension) -> None:
        """Keep a schedule from starting anything."""
        form = {"by": suspension.by, "at": suspension.at.timestamp(), "reason": suspension.reason}
        self._link.send("HSET", self._suspended, name, compact(form))

    def resume(self, name: str) -> bool:
        """Let it start runs again. False: it was not suspended."""
        return bool(self._link.send("HDEL", self._suspended, name))

    def _write(self, name: str, record: Recorded, version: str, form: str) -> Command:
        return call("schedule_write", self._keys.control, name, record.version, version, form, KEPT_SECONDS)


def _version(before: str, form: str) -> str:
    """What follows on a version: the same for all who write the same."""
    return hashlib.sha256(f"{before}\n{form}".encode()).hexdigest()[:20]


def _state_form(state: ScheduleState) -> Mapping[str, Any]:
    return {
        "timing": state.timing,
        "progress": {host: _progress_form(progress) for host, progress in state.progress.items()},
        "recent": [_decision_form(decision) for decision in state.recent],
    }


def _progress_form(progress: Progress) -> Mapping[str, Any]:
    form = {
        "watermark": progress.watermark.timestamp(),
        "held": _held_form(progress.held),
        "starting": _occurrence_form(progress.starting),
        "last": _occurrence_form(progress.last),
        "condition": progress.condition,
        "since": _seconds(progress.since),
        "fired": [moment.timestamp() for moment in progress.fired],
    }
    return {name: value for name, value in form.items() if value not in (None, [])}


def _held_form(held: Held | None) -> Sequence[Any] | None:
    return (held.nominal.timestamp(), held.since.timestamp(), held.reason) if held else None


def _occurrence_form(occurrence: Occurrence | None) -> Sequence[Any] | None:
    return (occurrence.nominal.timestamp(), occurrence.host, occurrence.run) if occurrence else None


def _decision_form(decision: Decision) -> Mapping[str, Any]:
    return {
        "first": decision.first.timestamp(),
        "last": decision.last.timestamp(),
        "at": decision.at.timestamp(),
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "run": decision.run,
        "hosts": decision.hosts,
    }


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _recorded(version: bytes | None, form: bytes) -> Recorded:
    found = json_map(form)
    return Recorded(
        ScheduleState(
            timing=word(found["timing"]),
            progress={word(host): _progress(each) for host, each in found["progress"].items()},
            recent=tuple(_decision(each) for each in found["recent"]),
        ),
        (version or b"").decode(),
    )


def _progress(form: Mapping[str, Any]) -> Progress:
    held, condition = form.get("held"), form.get("condition")
    return Progress(
        watermark=_moment(form["watermark"]),
        held=Held(_moment(held[0]), _moment(held[1]), word(held[2])) if held else None,
        starting=_occurrence(form.get("starting")),
        last=_occurrence(form.get("last")),
        condition=condition if isinstance(condition, bool) else None,
        since=instant(form.get("since")),
        fired=tuple(map(_moment, form.get("fired", ()))),
    )


def _occurrence(form: Sequence[Any] | None) -> Occurrence | None:
    return Occurrence(_moment(form[0]), word(form[1]), word(form[2])) if form else None


def _decision(form: Mapping[str, Any]) -> Decision:
    return Decision(
        first=_moment(form["first"]),
        last=_moment(form["last"]),
        at=_moment(form["at"]),
        outcome=Outcome(form["outcome"]),
        reason=word(form["reason"]),
        run=word(form["run"]),
        hosts=words(form["hosts"]),
    )


def _moment(seconds: Any) -> datetime:
    found = instant(seconds)
    if found is None:
        raise ValueError("no time")
    return found


def _suspension(form: Mapping[str, Any]) -> Suspension:
    return Suspension(word(form["by"]), _moment(form["at"]), word(form.get("reason", "")))
