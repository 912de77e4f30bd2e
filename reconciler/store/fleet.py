"""What the whole fleet follows and is asked for: small keys in the slot of control."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.resources.values import asdict, dataclass
from reconciler.store.keys import Keys
from reconciler.store.link import Link, call, compact, fields, flat
from reconciler.store.reading import Reading, instant, json_map, whole, word

REQUEST_SECONDS = 300
"""How long a request waits for a watcher, and an answer for its reader."""

LONGEST_WAIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FleetState:
    """What the holder of control follows and how far it is."""

    revision: str
    branch: str = ""
    holder: str = ""
    state: str = ""
    """A word for people: `converged`, `converging`, `held` ..."""
    message: str = ""
    at: datetime | None = None
    """When this was written."""


@dataclass(frozen=True, slots=True)
class ReconcileRequest:
    """Someone asks the watcher to reconcile the followed revision now."""

    id: str
    by: str
    revision: str = ""
    """The revision that the asker sees; the watcher answers if it follows another."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the watcher on a request."""

    text: str
    final: bool = False
    exit_code: int = 0


class FleetRecords:
    """`Store.fleet`."""

    def __init__(self, link: Link, keys: Keys, reading: Reading) -> None:
        self._link = link
        self._reading = reading
        self._slot = keys.control

    def current(self) -> FleetState | None:
        """What is followed; None: nobody ever did."""
        key = self._slot + "fleet"
        found = self._reading.ask("HGETALL", key)
        return self._reading.record(key, lambda: _state(found)) if found else None

    def set_current(self, state: FleetState) -> None:
        """Replace it."""
        texts = {name: value for name, value in asdict(state).items() if isinstance(value, str)}
        at = {"at": str(state.at.timestamp())} if state.at else {}
        self._link.send(*call("hash_replace", self._slot + "fleet", *flat({**texts, **at})))

    def request_reconcile(self, request: ReconcileRequest) -> None:
        """Ask; the watcher that holds control answers."""
        key = self._slot + "requests"
        self._link.send("RPUSH", key, compact(asdict(request)), repeatable=False)
        self._link.send("EXPIRE", key, REQUEST_SECONDS)

    def wait_request(self, seconds: float = LONGEST_WAIT_SECONDS) -> ReconcileRequest | None:
        """The next request, waited for at most that long (and at most 2 s)."""
        found = self._popped("requests", seconds)
        return self._reading.record(self._slot + "requests", lambda: _request(found)) if found else None

    def answer(self, request_id: str, answer: Answer) -> None:
        """Say something on a request; the last answer is `final`."""
        key = f"{self._slot}answer:{request_id}"
        self._link.send("RPUSH", key, compact(asdict(answer)), repeatable=False)
        self._link.send("EXPIRE", key, REQUEST_SECONDS)

    def wait_answer(self, request_id: str, seconds: float = LONGEST_WAIT_SECONDS) -> Answer | None:
        """The next answer, waited for at most that long (and at most 2 s)."""
        found = self._popped(f"answer:{request_id}", seconds)
        return self._reading.record(f"{self._slot}answer:{request_id}", lambda: _answer(found)) if found else None

    def _popped(self, name: str, seconds: float) -> bytes:
        """The first element of a list; waiting for 0 seconds would mean for ever, so it is at least a moment."""
        wait = min(max(seconds, 0.01), LONGEST_WAIT_SECONDS)
        found = self._link.send("BLPOP", self._slot + name, wait, repeatable=False)
        return found[1] if found else b""


def _state(reply: Sequence[bytes]) -> FleetState:
    found = fields(reply)
    texts = {name: found.get(name, "") for name in ("branch", "holder", "state", "message")}
    return FleetState(found["revision"], **texts, at=instant(found.get("at")))


def _request(form: bytes) -> ReconcileRequest:
    found = json_map(form)
    return ReconcileRequest(
        word(found["id"]), word(found["by"]), word(found.get("revision", "")), word(found.get("reason", ""))
    )


def _answer(form: bytes) -> Answer:
    found = json_map(form)
    return Answer(word(found["text"]), found.get("final") is True, whole(found.get("exit_code", 0)))
