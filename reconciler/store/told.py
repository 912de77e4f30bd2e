"""What channels were told of which alerts, by group: the monitor's memory, so that the next monitor goes on from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reconciler.alerting.routing import Group, GroupMemory
from reconciler.model.alerts import AlertId
from reconciler.store.alert_forms import alert_form, read_alert, sure_moment
from reconciler.store.keys import Keys
from reconciler.store.link import Link, call, compact, refuse_older
from reconciler.store.reading import Reading, instant, json_map, json_value, word


class ToldRecords:
    """`Store.told`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._slot = keys.control

    def read(self) -> Mapping[Group, GroupMemory]:
        """All of it."""
        key = self._slot + "told"
        reply = self._reading.ask("HGETALL", key) or ()
        pairs = zip(reply[::2], reply[1::2], strict=True)
        return dict(self._reading.records(key, list(pairs), lambda pair: (_group(pair[0]), _memory(pair[1]))))

    def write(self, changed: Mapping[Group, GroupMemory | None], term: int = 0) -> None:
        """Keep what changed; None: nothing is left of it. Also without any, a term keeps older ones out from now on.

        Raises:
            Refused: a later controller's monitor has written.
        """
        words = [word for group, memory in changed.items() for word in (_name(group), _form(memory))]
        reply = self._link.send(*call("told_write", self._slot, term, *words))
        refuse_older(reply, "what channels were told", term)


def _name(group: Group) -> str:
    return json.dumps([group.channel, *group.labels], ensure_ascii=False)


def _group(name: bytes) -> Group:
    channel, *labels = json_value(name)
    return Group(word(channel), tuple((word(label), word(value)) for label, value in labels))


def _form(memory: GroupMemory | None) -> str:
    if memory is None:
        return ""
    form: dict[str, Any] = {"since": memory.since.timestamp()}
    form |= {"told_at": memory.told_at.timestamp()} if memory.told_at else {}
    return compact(form | {"told": {str(name): alert_form(alert) for name, alert in memory.told.items()}})


def _memory(form: bytes) -> GroupMemory:
    found = json_map(form)
    ids = {AlertId.parse(name): alert for name, alert in found["told"].items()}
    told = {alert_id: read_alert(alert_id, alert) for alert_id, alert in ids.items()}
    return GroupMemory(sure_moment(found["since"]), instant(found.get("told_at")), told)
