"""The far end of an SSH channel: answers requests in framed JSON for as long as someone is there to ask.

Started by `transport.runner` with `python3 -I -c`, one process for a connection. It ends when its input ends or when
nothing came for a minute; an apply that is under way then finishes the step that it is in, and the next run goes on.
What not every connection asks for is loaded when it does: every start on every host pays for the rest.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Iterator, Mapping, Optional, cast

from reconciler.resources.applying.engine import apply, forgive, inspect, pause, perform
from reconciler.resources.channel.framing import MARKER, Unpacker, pack
from reconciler.resources.failure import EXPECTED, Failure, as_failure
from reconciler.resources.machine.facts import facts
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Clock
from reconciler.resources.protocol import Event, event_to_json, request_from_json, run_from_json
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.ledger import ledger_to_json

if TYPE_CHECKING:
    from reconciler.resources.measuring.sampling import Sampler

SILENCE_SECONDS = 60.0
"""After this long without a message nobody is there any more."""

_PIECE_BYTES = 1 << 16

Message = Mapping[str, Any]


class HostClock:
    """The clock of this host; nobody is near to hand one in."""

    def timestamp(self) -> float:
        """See Clock."""
        return time.time()  # noqa: TID251 - see the class

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()  # noqa: TID251 - see the class

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        time.sleep(seconds)  # noqa: TID251 - see the class


def main() -> None:
    """Serve on what were standard input and output; programs that are run here get neither.

    The process ends at once then: nothing is left to write, and to take everything apart would be a tenth of its work.
    """
    reading, writing, nothing = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    Server(reading, writing, HostClock()).run()
    os._exit(0)


class Gone(Exception):
    """Nobody listens any more."""


class Server:
    """One conversation. A thread reads, so that pings are answered and an end is noticed while work is under way."""

    def __init__(self, reading: int, writing: int, clock: Clock, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._reading = reading
        self._writing = writing
        self._clock = clock
        self._silence_seconds = silence_seconds
        self._asked: Deque[Optional[Message]] = deque()
        self._waiting = threading.Semaphore(0)
        """How many of them wait to be answered; `queue` would be slow to load for that."""
        self._gone = False
        self._stop = ""
        """Why the run that is under way must end."""
        self._turn = threading.Lock()
        self._systems: Dict[str, PosixSystem] = {}
        self._samplers: Dict[str, Sampler] = {}

    def run(self) -> None:
        """Answer until nobody asks any more."""
        os.write(self._writing, MARKER)
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        try:
            for message in iter(self._next, None):
                self._answer(message)
        except Gone:
            return

    def _next(self) -> Optional[Message]:
        self._waiting.acquire()
        return self._asked.popleft()

    def _queue(self, message: Optional[Message]) -> None:
        self._asked.append(message)
        self._waiting.release()

    def _read(self) -> None:
        unpacker = Unpacker()
        try:
            while select.select([self._reading], [], [], self._silence_seconds)[0]:
                piece = os.read(self._reading, _PIECE_BYTES)
                if not piece:
                    break
                for message in unpacker.feed(piece):
                    self._take(message)
        except (OSError, ValueError, Gone):
            pass
        self._gone = True
        self._queue(None)

    def _take(self, message: Message) -> None:
        do = message.get("do")
        if do == "ping":
            self._tell({"pong": True})
        elif do == "stop":
            self._stop = str(message["why"])
        else:
            self._stop = ""
            self._queue(message)

    def _answer(self, message: Message) -> None:
        try:
            for reply in self._replies(message):
                self._tell(reply)
            self._tell({"end": True})
        except EXPECTED as error:
            self._tell(_failure(as_failure(error)))
        except Gone:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not look like a lost connection
            import traceback  # noqa: PLC0415 - see the module

            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error} ({os.path.basename(where.filename)}:{where.lineno})"
            self._tell(
                _failure(Failure(code="remote-error", message=told, hint="This is a mistake of ours; please report it"))
            )

    def _replies(self, message: Message) -> Iterator[Message]:
        fleet, host, system = str(message["fleet"]), str(message["host"]), self._system(str(message["root"]))
        do = message["do"]
        if do == "greet":
            yield {"facts": facts(), "ledger": ledger_to_json(read_ledger(system, fleet, host))}
        elif do == "apply":
            yield from _told(apply, message, system)
        elif do == "inspect":
            yield from _told(inspect, message, system)
        elif do == "perform":
            self._perform(message)
        elif do == "pause":
            pause(system, fleet, host, str(message["app"]), str(message["reason"]))
        elif do == "forgive":
            forgive(system, fleet, host, str(message["app"]))
        elif do == "sample":
            yield self._sampler(str(message["root"])).sample(message["apps"])
        else:
            from reconciler.resources.channel.errands import ERRANDS, errand  # noqa: PLC0415 - see the module

            if do in ERRANDS:
                yield errand(system, message)

    def _perform(self, message: Message) -> None:
        """Do a run; what it tells is sent at once. Without anyone to tell, it ends."""
        from reconciler.resources.applying.following import LOST  # noqa: PLC0415 - see the module

        system = PosixSystem(str(message["root"]), clock=self._clock)
        perform(
            run_from_json(message["request"]),
            system,
            lambda event: self._tell(event_to_json(event)),
            lambda: LOST if self._gone else self._stop,
        )

    def _system(self, root: str) -> PosixSystem:
        if root not in self._systems:
            self._systems[root] = PosixSystem(root, clock=self._clock)
        return self._systems[root]

    def _sampler(self, root: str) -> Sampler:
        """Its checks run beside an apply, so that they have a system of their own, which holds no lock."""
        if root not in self._samplers:
            from reconciler.resources.measuring.proc import Proc  # noqa: PLC0415 - see the module
            from reconciler.resources.measuring.sampling import Sampler  # noqa: PLC0415

            self._samplers[root] = Sampler(Proc().read, PosixSystem(root, clock=self._clock))
        return self._samplers[root]

    def _tell(self, message: Message) -> None:
        """Send a message whole.

        Raises:
            Gone: nobody takes it.
        """
        if self._gone:
            raise Gone
        content = memoryview(pack(message))
        try:
            with self._turn:
                while content:
                    content = content[os.write(self._writing, content) :]
        except OSError as error:
            raise Gone from error


def _failure(failure: Failure) -> Message:
    return {"failure": [failure.code, failure.text(), failure.hint]}


def _told(act: Callable[..., Iterator[Event]], message: Message, system: PosixSystem) -> Iterator[Message]:
    with closing(cast("Any", act(request_from_json(message["request"]), system))) as events:
        for event in events:
            yield event_to_json(event)
