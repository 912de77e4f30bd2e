"""The outbox: notifications between the monitor that decides and the notifier that sends.

Each id enters once, also when a monitor was cut off after it had put something in and the next one decides the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.alerts import Notification
from reconciler.store.alert_forms import notification_form, read_notification
from reconciler.store.keys import Keys
from reconciler.store.link import Link, call, compact, refuse_older
from reconciler.store.reading import Reading, json_map

REMEMBERED_SECONDS = 7 * 86_400
"""How long an id is known as put in already."""


class Outbox:
    """`Store.outbox`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._slot = keys.control

    def put(self, notifications: Sequence[Notification], term: int = 0) -> int:
        """Add those whose id was never put in; returns how many these are.

        Args:
            notifications: what is to be told.
            term: of the controller whose monitor decided it.

        Raises:
            Refused: a later controller's monitor has written; nothing was added.
        """
        if not notifications:
            return 0
        words = [word for it in notifications for word in (it.id, compact(notification_form(it)))]
        reply = self._link.send(*call("outbox_put", self._slot, term, REMEMBERED_SECONDS, *words))
        if isinstance(reply, bytes):
            refuse_older(reply, "the outbox", term)
        return int(reply)

    def waiting(self) -> Sequence[Notification]:
        """What is still to be sent, the oldest first."""
        key = self._slot + "outbox"
        reply = self._reading.ask("HGETALL", key) or ()
        found = self._reading.records(key, reply[1::2], _notification)
        return sorted(found, key=lambda it: (it.created_at, it.id))

    def remove(self, ids: Sequence[str]) -> None:
        """They were sent, or given up for good."""
        if ids:
            self._link.send("HDEL", self._slot + "outbox", *ids)


def _notification(form: bytes) -> Notification:
    return read_notification(json_map(form))
