"""What each target of each channel has not got yet, between the outbox and the services. Used by the notifier.

A turn at a target is taken with the version that it was decided on, so that of two notifiers one sends. What is sent is
leased: a notifier that dies leaves it to be sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.clock import milliseconds
from reconciler.model.alerts import Notification
from reconciler.model.delivery import Backlog, TargetState, Waiting
from reconciler.resources.values import dataclass
from reconciler.store.alert_forms import notification_form, read_notification
from reconciler.store.keys import Keys
from reconciler.store.link import Argument, Link, call, compact
from reconciler.store.reading import Reading, instant, json_map, number, whole, word

KEPT_SECONDS = 7 * 86_400
"""How long it is kept for a target that no channel names any more; each turn begins this anew."""
MOST_READ = 1_000
"""Of what waits for a target in one turn; more join a digest in the next."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn at a target: what is sent in it."""

    target: str
    version: int
    state: TargetState


class Deliveries:
    """`Store.deliveries`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._slot = keys.control

    def spread(self, targets: Mapping[str, Sequence[str]], now: datetime) -> None:
        """Hand notifications (by id) from the outbox to targets; one without a target leaves all the same."""
        due = milliseconds(now)
        self._link.send_all(
            [call("outbox_spread", self._slot, id_, due, KEPT_SECONDS, *names) for id_, names in targets.items()]
        )

    def backlogs(self, targets: Sequence[str]) -> Mapping[str, Backlog]:
        """What waits for these targets; those for which nothing does are left out."""
        pages = self._reading.ask_all(
            [("ZRANGE", self._slot + "due:" + target, 0, MOST_READ - 1, "WITHSCORES") for target in targets]
        )
        found = {target: page for target, page in zip(targets, pages, strict=True) if page}
        forms = self._reading.ask_all(
            [("HMGET", self._slot + "unsent:" + target, *page[::2]) for target, page in found.items()]
        )
        states = self._reading.ask_all(
            [("HMGET", self._slot + "target:" + target, "version", "state") for target in found]
        )
        return {
            target: self._backlog(target, page, form or (), state or (None, None))
            for (target, page), form, state in zip(found.items(), forms, states, strict=True)
        }

    def _backlog(self, target: str, page: Sequence[bytes], forms: Sequence[Any], state: Sequence[Any]) -> Backlog:
        unsent, at = self._slot + "unsent:" + target, self._slot + "target:" + target
        pairs = [(form, score) for form, score in zip(forms, page[1::2], strict=False) if form is not None]
        waiting = self._reading.records(unsent, pairs, lambda pair: _waiting(*pair))
        version = self._reading.record(at, lambda: number(state[0])) or 0
        known = self._reading.record(at, lambda: _read_state(json_map(state[1]))) if state[1] else None
        return Backlog(tuple(waiting), known or TargetState(), version)

    def take(
        self,
        target: str,
        backlog: Backlog,
        state: TargetState,
        *,
        send: Sequence[Notification],
        merged: Sequence[str],
        until: datetime,
    ) -> Taken | None:
        """Begin a turn; None: another notifier did.

        Args:
            target: its id.
            backlog: what the turn was decided on.
            state: of the target from now on.
            send: what is sent now; where `merged` names others, the last of it stands for them.
            merged: ids that leave for the digest.
            until: the end of the lease on what is sent.
        """
        digest: tuple[Argument, Argument] = ("", "")
        if merged:
            digest = (send[-1].id, compact(notification_form(send[-1])))
        ids = [*(it.id for it in send), *merged]
        words = (target, backlog.version, compact(_state_form(state)), milliseconds(until), KEPT_SECONDS)
        done = self._link.send(*call("outbox_take", self._slot, *words, *digest, len(send), *ids), repeatable=False)
        return Taken(target, backlog.version + 1, state) if done else None

    def settle(self, taken: Taken, state: TargetState, ended: Mapping[str, datetime | None]) -> bool:
        """Record how attempts of a turn ended; False: the lease had run out and another turn was taken.

        Args:
            taken: the turn.
            state: of the target from now on.
            ended: id -> when it is due again; None: it was sent.
        """
        pairs = [word for id_, due in ended.items() for word in (id_, milliseconds(due) if due else "")]
        words = (taken.target, taken.version, compact(_state_form(state)), KEPT_SECONDS)
        return bool(self._link.send(*call("outbox_settle", self._slot, *words, *pairs)))


def _waiting(form: bytes, score: bytes) -> Waiting:
    due = instant(float(score) / 1000)
    if due is None:
        raise ValueError("no time")
    return Waiting(read_notification(json_map(form)), due)


def _state_form(state: TargetState) -> dict[str, Any]:
    return {
        "tokens": state.tokens,
        "counted_at": state.counted_at.timestamp() if state.counted_at else None,
        "blocked_until": state.blocked_until.timestamp() if state.blocked_until else None,
        "failures": state.failures,
        "reason": state.reason,
    }


def _read_state(form: Mapping[str, Any]) -> TargetState:
    tokens = form.get("tokens")
    if isinstance(tokens, bool) or not isinstance(tokens, int | float | None):
        raise TypeError("no number where one is expected")
    return TargetState(
        None if tokens is None else float(tokens),
        instant(form.get("counted_at")),
        instant(form.get("blocked_until")),
        whole(form.get("failures", 0)),
        word(form.get("reason", "")),
    )
