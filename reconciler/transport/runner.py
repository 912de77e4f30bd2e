"""The process at the far end of one SSH connection: started once, spoken to in framed JSON, noticed when it is gone.

`ssh` asks through it; what is asked and answered is `resources.remote`'s.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.clock import Clock
from reconciler.errors import Place, Unavailable
from reconciler.resources.channel.framing import MARKER, BadFrame, Unpacker, pack
from reconciler.transport.dialing import hang_up
from reconciler.transport.shipment import NO_PYTHON, NO_SUDO, OLD_PYTHON, command, shipment
from reconciler.transport.slim_paramiko import paramiko

START_SECONDS = 30.0
"""From the start to the first answer: `sudo` alone may take 20 s on a host that cannot resolve its own name."""
PING_SECONDS = 15.0
SILENCE_SECONDS = 60.0
"""A far end that answers no ping for this long is gone."""

MOST_ANSWERED_BYTES = 128 << 20
"""In answer to one question: twice as much as the largest ledger."""

_GLANCE_SECONDS = 1.0
_LEAVING_SECONDS = 2.0
_PIECE_BYTES = 1 << 16
_CHATTER_BYTES = 1 << 20
"""How much a login shell may print before the marker."""
_COMPLAINT_BYTES = 2000

_ENDED = (paramiko.SSHException, EOFError, OSError)

Message = Mapping[str, Any]


class Runner:
    """One conversation at a time: `ask`, and take all of its answers.

    Args:
        host: its name, for errors.
        user: who is logged in.
        become: whether to work as root by sudo.
    """

    def __init__(self, host: str, transport: paramiko.Transport, clock: Clock, *, user: str, become: bool) -> None:
        self._place = Place(host=host)
        self._transport = transport
        self._clock = clock
        self._user = user
        self._sudo = become and user != "root"
        self._unpacker = Unpacker()
        self._channel: paramiko.Channel | None = None
        self._complaint = b""
        self._answering = True
        self._sending = threading.Lock()
        self._sent_at = clock.monotonic()

    @property
    def fit(self) -> bool:
        """Whether it is there and waits for the next question."""
        return self._transport.is_active() and not self._answering

    def start(self, question: Message) -> Iterator[Message]:
        """Ship the library, start it and ask the first question, all in one go; the answers as of `ask`.

        Raises:
            Unavailable: it does not start within 30 s; with what the host said instead.
        """
        try:
            channel = self._channel = self._transport.open_session(timeout=START_SECONDS)
            channel.settimeout(PING_SECONDS)
            channel.exec_command(command(become=self._sudo))
            channel.sendall(shipment() + pack(question))
            early = self._after_marker(channel)
        except _ENDED as error:
            raise self._not_started(str(error)) from error
        return self._answers(early, MOST_ANSWERED_BYTES)

    def ask(self, question: Message, *, endless: bool = False) -> Iterator[Message]:
        """Send a question; its answers as they come. The next question waits until these are taken.

        Args:
            question: what to do.
            endless: whether the host may answer as much as it likes, since nobody keeps the answers.

        Raises:
            Unavailable: the connection is lost, or the host could not do what was asked.
        """
        self._answering = True
        self._send(question)
        return self._answers(b"", math.inf if endless else MOST_ANSWERED_BYTES)

    def only(self, answers: Iterator[Message]) -> Message:
        """The answer to a question that has one.

        Raises:
            Unavailable: there is none, or more than one; or as `ask`.
        """
        found = list(answers)
        if len(found) != 1:
            raise self._lost(f"it gave {len(found)} answers where there is one")
        return found[0]

    def interject(self, message: Message) -> None:
        """Send a message that has no answer while one is awaited; from another thread. A lost connection is no error:
        whoever awaits the answer notices.
        """
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            self._write(message)

    def ping(self) -> bool:
        """Tell the far end that we are still there; False if it is gone."""
        channel = self._channel
        if channel is None or not self.fit:
            return False
        try:
            self._send({"do": "ping"})
            while channel.recv_ready():
                list(self._unpacker.feed(channel.recv(_PIECE_BYTES)))
        except (Unavailable, BadFrame, *_ENDED):
            return False
        return not channel.eof_received

    def close(self) -> None:
        """End the process and hang up."""
        self._answering = True
        hang_up(self._transport)

    def _answers(self, early: bytes, most_bytes: float) -> Iterator[Message]:
        piece = early
        while True:
            most_bytes -= len(piece)
            if most_bytes < 0:
                raise self._lost("it answered without end")
            for reply in self._unpacked(piece):
                if "pong" in reply:
                    continue
                self._answering = not ("end" in reply or "failure" in reply)
                if "failure" in reply:
                    code, text, hint = map(str, reply["failure"])
                    raise Unavailable.of(code, text, place=self._place, hint=hint)
                if not self._answering:
                    return
                yield reply
            piece = self._piece()

    def _unpacked(self, piece: bytes) -> Iterator[Message]:
        try:
            yield from self._unpacker.feed(piece)
        except BadFrame as error:
            raise self._lost(f"it sent {error}") from error

    def _piece(self) -> bytes:
        """The next bytes; while there are none, the far end is told that we are there."""
        channel = self._opened()
        silent_since = self._clock.monotonic()
        while True:
            self._hear_complaints(channel)
            try:
                piece = channel.recv(_PIECE_BYTES)
            except TimeoutError:
                if self._clock.monotonic() - silent_since >= SILENCE_SECONDS:
                    raise self._lost(f"it was silent for {SILENCE_SECONDS:g} s") from None
                self._send({"do": "ping"})
            except _ENDED as error:
                raise self._lost(str(error)) from error
            else:
                if not piece:
                    self._hear_complaints(channel)
                    raise self._lost(self._complained())
                if self._clock.monotonic() - self._sent_at >= PING_SECONDS:
                    self._send({"do": "ping"})  # it talks without pause, and must know that someone listens
                return piece

    def _send(self, message: Message) -> None:
        try:
            self._write(message)
        except _ENDED as error:
            raise self._lost(str(error)) from error

    def _write(self, message: Message) -> None:
        with self._sending:
            self._opened().sendall(pack(message))
            self._sent_at = self._clock.monotonic()

    def _opened(self) -> paramiko.Channel:
        if self._channel is None:
            raise self._lost("it was never started")
        return self._channel

    def _lost(self, why: str) -> Unavailable:
        self.close()
        message = f"the connection was lost: {why}" if why else "the connection was lost"
        return self._error("connection-lost", message, "The next run goes on from where it stopped")

    # -- the start

    def _after_marker(self, channel: paramiko.Channel) -> bytes:
        """What comes after the marker; before it, login shells may print what they like."""
        deadline = self._clock.monotonic() + START_SECONDS
        channel.settimeout(_GLANCE_SECONDS)
        said = b""
        while MARKER not in said:
            if self._clock.monotonic() >= deadline or len(said) > _CHATTER_BYTES:
                raise self._not_started(f"no answer within {START_SECONDS:g} s")
            try:
                piece = channel.recv(_PIECE_BYTES)
            except TimeoutError:
                continue
            finally:
                self._hear_complaints(channel)
            if not piece:
                raise self._not_started("")
            said += piece
        channel.settimeout(PING_SECONDS)
        return said.partition(MARKER)[2]

    def _hear_complaints(self, channel: paramiko.Channel) -> None:
        while channel.recv_stderr_ready():
            self._complaint = (self._complaint + channel.recv_stderr(_PIECE_BYTES))[-_COMPLAINT_BYTES:]

    def _complained(self) -> str:
        """The last lines of standard error."""
        lines = [line.strip() for line in self._complaint.decode(errors="replace").splitlines() if line.strip()]
        return "; ".join(lines[-3:])

    def _not_started(self, why: str) -> Unavailable:
        exit_code = -1
        if self._channel is not None:
            self._channel.status_event.wait(0 if why else _LEAVING_SECONDS)
            self._hear_complaints(self._channel)
            exit_code = self._channel.exit_status
        self.close()
        return self._reason(exit_code, why)

    def _reason(self, exit_code: int, why: str) -> Unavailable:
        said = self._complained()
        if exit_code == NO_PYTHON:
            packages = "apt-get install python3, dnf install python3, zypper install python3 or apk add python3"
            message = f"there is no python3 for {self._user}"
            return self._error("no-python", f"{message}: {said}" if said else message, f"Install it: {packages}")
        if exit_code == OLD_PYTHON:
            message = f"python3 there is {said}, and 3.9 is the oldest that will do"
            return self._error("old-python", message, "Install a newer one, first in PATH")
        if exit_code == NO_SUDO:
            return self._error("no-sudo", "there is no sudo", "Install it, or log in as root: connection.user: root")
        if self._sudo and "sudo:" in said:
            rule = f"{self._user} ALL=(root) NOPASSWD: ALL"
            return self._error("no-sudo", f"sudo -n is refused: {said}", f"With visudo, allow it: {rule}")
        ended = f"exit code {exit_code}" if exit_code >= 0 else "it ended"
        told = ": ".join(part for part in ("python3 does not start", why or ended, said) if part)
        return self._error("start-failed", told, f"Try by hand: ssh {self._user}@{self._place.host} python3 -V")

    def _error(self, code: str, message: str, hint: str) -> Unavailable:
        return Unavailable.of(code, message, place=self._place, hint=hint)
