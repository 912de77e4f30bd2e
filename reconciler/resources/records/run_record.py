"""What a host remembers of a run, so that one delivered twice is done once; and what is to be done with a delivery.

Kept beside the ledger, one directory a run, since runs that change no resources go on while the ledger is locked.
"""

from __future__ import annotations

import enum
import hashlib
import json
from contextlib import suppress
from typing import Any, Dict, Mapping

from reconciler.resources.failure import Failure
from reconciler.resources.machine.places import make_parents
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import RunRequest
from reconciler.resources.values import asdict, dataclass, field, fields, replace

MOST_LOST = 3
"""How often a run with `onLost: retry` may lose its executor."""
_LARGEST_BYTES = 1 << 20

RUNNING = "running"
REBOOTING = "rebooting"
FAILED = "failed"


class Verdict(enum.Enum):
    """What is to be done with a run that was delivered."""

    START = "start"
    CONTINUE = "continue"
    """The host is back from the restart that the run asked for."""
    AWAIT = "await"
    """It is not back yet: it has not even gone down."""
    LOST = "lost"
    """It had started, its executor is gone, and it must not be done again."""
    KNOWN = "known"
    """It ended before; its result is told again."""
    WITHDRAWN = "withdrawn"
    """It was cancelled: what it left running is ended."""
    STALE = "stale"
    """Someone who took the run over later was here before."""
    REPLAYED = "replayed"
    """A later word on the same run was heard before."""
    LATE = "late"
    """It was to begin earlier."""


@dataclass(frozen=True)
class RunRecord:
    """One run on this host."""

    issue: int = -1
    """Which word on the run this is about; -1: none was heard."""
    state: str = ""
    """running, rebooting, or how it ended: succeeded, failed, cancelled."""
    tries: int = 0
    lost: int = 0
    step: int = 0
    """The step to go on with after a restart of the host."""
    boot: str = ""
    """The boot in which the restart was asked for."""
    token: int = 0
    """Of the executor that was here last."""
    forget_at: float = 0.0
    """Unix seconds from which on nobody can ask for it again."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """The fields of the last RunFinished."""


def judge(record: RunRecord, request: RunRequest, boot: str) -> Verdict:
    """What is to be done with this delivery. Pure.

    Args:
        record: what is remembered of the run.
        request: what was delivered.
        boot: the id of the present boot.
    """
    if request.issue < record.issue:
        return Verdict.REPLAYED
    if request.token < record.token:
        return Verdict.STALE
    if request.withdrawn:
        return Verdict.WITHDRAWN
    if request.issue > record.issue:
        return Verdict.LATE if request.late else Verdict.START
    return _judge_again(record, request, boot)


def _judge_again(record: RunRecord, request: RunRequest, boot: str) -> Verdict:
    """What is to be done with a delivery of what was delivered before."""
    if record.state == REBOOTING:
        return Verdict.AWAIT if record.boot == boot else Verdict.CONTINUE
    if record.state == RUNNING:
        again = request.on_lost == "retry" and record.lost + 1 < MOST_LOST
        return Verdict.START if again else Verdict.LOST
    if record.state == FAILED and record.tries <= request.retries:
        return Verdict.START
    return Verdict.KNOWN


def started(record: RunRecord, request: RunRequest) -> RunRecord:
    """The record once a try has begun."""
    if request.issue != record.issue:
        return RunRecord(request.issue, RUNNING, tries=1, token=request.token, forget_at=request.forget_at)
    record = replace(record, token=request.token)
    if record.state == RUNNING:
        return replace(record, lost=record.lost + 1, step=0)
    if record.state == REBOOTING:
        return replace(record, state=RUNNING)
    return replace(record, state=RUNNING, tries=record.tries + 1, step=0)


class RunBook:
    """The records on disk, from the point of view of one run."""

    def __init__(self, system: System, request: RunRequest) -> None:
        self._system = system
        self._runs = f"{system.state}/runs"
        self.name = run_name(request.fleet, request.host, request.id)
        self.place = f"runs/{self.name}"
        self._path = f"{self._runs}/{self.name}/record.json"

    def prepare(self) -> None:
        """Make the run's directory."""
        for path in (self._system.state, self._runs, f"{self._runs}/{self.name}"):
            if self._system.look(path) is None:
                make_parents(self._system, path)
                with suppress(FileExistsError):
                    self._system.mkdir(path, self._system.own(0o700))

    def read(self) -> RunRecord:
        """What is remembered; nothing where it is not as we write it.

        Raises:
            Failure: `damaged-record`: it cannot be told whether the run was done.
        """
        return self._read(self._path)

    def write(self, record: RunRecord) -> None:
        """Remember it, durably."""
        content = json.dumps(asdict(record), separators=(",", ":")).encode()
        self._system.write_atomic(self._path, content, self._system.own(0o600))

    def sweep(self) -> None:
        """Forget runs that nobody can ask for again."""
        now = self._system.clock.timestamp()
        for name in self._system.listdir(self._runs):
            if name == self.name:
                continue
            with suppress(Failure, OSError):
                record = self._read(f"{self._runs}/{name}/record.json")
                if record.issue >= 0 and record.forget_at < now and record.state not in {RUNNING, REBOOTING}:
                    for file in self._system.listdir(f"{self._runs}/{name}"):
                        self._system.remove(f"{self._runs}/{name}/{file}")
                    self._system.remove(f"{self._runs}/{name}")

    def _read(self, path: str) -> RunRecord:
        found = self._system.read(path, _LARGEST_BYTES)
        if found is None:
            return RunRecord()
        try:
            return _record(json.loads(found[1]))
        except (ValueError, TypeError, AttributeError) as error:
            hint = "Remove its directory once you know whether it was done."
            raise Failure("damaged-record", f"{path} is not as we write it: {error}", hint) from None


def run_name(fleet: str, host: str, run: str) -> str:
    """The run's name on this machine, which may play several hosts."""
    return hashlib.sha256(f"{fleet}\0{host}\0{run}".encode()).hexdigest()[:32]


def _record(document: Dict[str, Any]) -> RunRecord:
    names = {each.name for each in fields(RunRecord)}
    record = RunRecord(**{name: value for name, value in document.items() if name in names})
    numbers = (record.issue, record.tries, record.lost, record.step, record.token)
    if not all(type(number) is int for number in numbers) or not isinstance(record.state, str):
        raise TypeError("a field of another type")
    return record
