"""One run of a job on this host: its steps in order, each done once, until one fails.

Built by `engine`. A step is a command, a resource that is looked at, changed and looked at again, a service that is
restarted, or a restart of the host after which the run goes on. What a job changes, it does not own.
"""

from __future__ import annotations

import fnmatch
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Tuple

from reconciler.resources.applying.following import CANCELLED, LOST, Following, Tell
from reconciler.resources.failure import EXPECTED, Failure, as_failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.command import Command
from reconciler.resources.kinds.registry import Item, parse, with_context
from reconciler.resources.kinds.resource import Resource
from reconciler.resources.kinds.service import RELOAD, RESTART, Service
from reconciler.resources.machine.system import Command as Program
from reconciler.resources.machine.system import System
from reconciler.resources.protocol import (
    RebootEvent,
    ResourceEvent,
    RunFinished,
    RunRequest,
    Wanted,
)
from reconciler.resources.records.book import Book
from reconciler.resources.records.run_record import (
    FAILED,
    REBOOTING,
    RUNNING,
    RunBook,
    RunRecord,
    Verdict,
    judge,
    started,
)
from reconciler.resources.values import asdict, dataclass, fields, replace

REBOOT = "reboot"
_REBOOT_SECONDS = 600.0
_REBOOT = ("systemctl", "reboot"), ("shutdown", "-r", "now"), ("reboot",)


@dataclass(frozen=True)
class Step:
    """One step, understood."""

    wanted: Wanted
    item: Optional[Item]
    """None: the host restarts."""
    restarts: bool = False
    """A service that is restarted whatever it did before."""
    reboot_seconds: float = _REBOOT_SECONDS


class StepFailed(Exception):
    """A step did not do; its event was told already."""

    def __init__(self, failure: Failure, text: str, exit_code: Optional[int] = None) -> None:
        super().__init__(text)
        self.failure = failure
        self.text = text
        self.exit_code = exit_code


class StepRun:
    """The state of one run."""

    def __init__(self, request: RunRequest, system: System, book: RunBook, tell: Tell, following: Following) -> None:
        self._request = request
        self._system = system
        self._book = book
        self._tell = tell
        self._following = following
        self._record = RunRecord()
        self._changed: List[str] = []
        """Names, ids and places of what was changed."""
        self._changes = 0

    def go(self) -> None:
        """Do what is to be done with the delivery; the last event is RunFinished.

        Raises:
            Failure, OSError: nothing was done.
        """
        record = self._record = self._book.read()
        verdict = judge(record, self._request, self._system.boot)
        if verdict is Verdict.KNOWN:
            self._tell(replace(_finished(record.result), repeated=True))
        elif verdict is Verdict.REPLAYED:
            raise Failure("replayed", "a later word on this run was heard here before; nothing was done")
        elif verdict is Verdict.LATE:
            hint = "Ask again: reconcile jobs retry. More time: reconcile run --expires."
            raise Failure("run-expired", "the time in which it was to begin is over; nothing was done", hint)
        elif verdict is Verdict.STALE or self._following.overtaken:
            self._tell(RunFinished(LOST))
        elif verdict is Verdict.WITHDRAWN:
            self._end_withdrawn()
        elif verdict is Verdict.AWAIT:
            self._tell(RunFinished(REBOOTING, tries=record.tries))
        elif verdict is Verdict.LOST:
            with self._system.enclosed(self._book.name, self._following):
                pass  # what it left running is ended
            hint = "Look what it did, then: reconcile jobs retry. A job that may run twice says onLost: retry."
            self._end(Failure("run-lost", "it had started, and whoever ran it is gone", hint))
        else:
            self._do(verdict)

    def _end_withdrawn(self) -> None:
        with self._system.enclosed(self._book.name, self._following):
            pass  # what it left running is ended
        if self._record.state in {RUNNING, REBOOTING}:
            self._finish(CANCELLED, RunFinished(CANCELLED, code=CANCELLED))
            return
        told = RunFinished(CANCELLED, tries=self._record.tries)
        if self._request.issue > self._record.issue:  # so that nobody begins it who has not heard of that
            begun = started(self._record, self._request)
            self._book.write(replace(begun, state=CANCELLED, tries=0, result=asdict(told)))
        self._tell(told)

    def _do(self, verdict: Verdict) -> None:
        steps = self._parsed()
        self._book.sweep()
        before = self._record
        fresh = before.state not in {RUNNING, REBOOTING}
        with self._system.enclosed(self._book.name, self._following, fresh=fresh) as end_rest:
            self._record = started(before, self._request)
            self._book.write(self._record)
            self._changes = int(self._record.result.get("changed", 0)) if verdict is Verdict.CONTINUE else 0
            failed: Optional[StepFailed] = None
            try:
                for number in range(self._record.step, len(steps)):
                    self._following.check()
                    if steps[number].item is None:
                        self._reboot(number, steps[number])
                        return
                    self._step(steps[number])
            except StepFailed as error:
                failed = error
            except EXPECTED as error:
                failed = StepFailed(as_failure(error), as_failure(error).text())
            self._following.flush()
            left = end_rest()
        if self._following.overtaken:
            self._book.write(before)  # nothing was done, so whoever has it now may begin it
        self._conclude(failed, left)

    def _parsed(self) -> Tuple[Step, ...]:
        """The steps, understood.

        Raises:
            Failure: with all that is wrong.
        """
        steps: List[Step] = []
        problems: List[Failure] = []
        for each in self._request.steps:
            try:
                steps.append(_step(each, sandbox=self._system.sandbox))
            except Failure as failure:  # noqa: PERF203 - all problems at once
                problems.append(failure)
        if problems:
            raise Failure(problems[0].code, "; ".join(problem.message for problem in problems), problems[0].hint)
        return tuple(steps)

    # -- one step

    def _step(self, step: Step) -> None:
        item = step.item
        assert item is not None  # noqa: S101 - a restart of the host is no step of this kind
        began = self._system.clock.monotonic()
        try:
            action = self._command(step, item.resource) if isinstance(item.resource, Command) else self._resource(step)
        except EXPECTED as error:
            failure = self._why(as_failure(error))
            text = failure.text(sensitive=step.wanted.sensitive)
            self._told(step, "failed", began, text, failure.hint)
            raise StepFailed(failure, f"{step.wanted.name}: {text}", getattr(error, "exit_code", None)) from error
        self._told(step, action, began)

    def _told(self, step: Step, action: str, began: float, error: str = "", hint: str = "") -> None:
        seconds = round(self._system.clock.monotonic() - began, 3)
        self._following.flush()
        self._tell(ResourceEvent(step.wanted.id, step.wanted.name, action, error=error, hint=hint, seconds=seconds))

    def _why(self, failure: Failure) -> Failure:
        """What was asked for in between is the reason, not how the program died of it."""
        try:
            self._following.check()
        except Failure as reason:
            return reason
        return failure

    def _command(self, step: Step, command: Command) -> str:
        if command.guarded and self._inspected(command):
            return "skipped"
        given = "timeout" in step.wanted.fields
        seconds = min(command.timeout_seconds, self._following.remaining_seconds) if given else 0.0
        self._following.aloud = True
        try:
            done = self._system.run(
                Program(
                    command.argv,
                    command.env,
                    command.stdin.encode() if command.stdin else None,
                    command.user or self._request.user,
                    command.cwd,
                    seconds or self._following.remaining_seconds,
                )
            )
        finally:
            self._following.aloud = False
        if not done.ok:
            error = CommandFailed("command-failed", f"{command.argv[0]} failed", said=done.complaint)
            error.exit_code = done.code
            raise error
        self._note(step)
        return "change"

    def _inspected(self, resource: Resource) -> bool:
        """Whether it is as wanted already."""
        return not resource.difference(resource.inspect(self._system))

    def _resource(self, step: Step) -> str:
        item = step.item
        assert item is not None  # noqa: S101 - see _step
        resource = with_context(item, None, self._declared(), replaces=True)
        actual = resource.inspect(self._system)
        difference = resource.difference(actual)
        if difference:
            self._following.begin()
            difference = resource.prepare(self._system, difference)
            self._following.check()  # that may have taken long
            resource.apply(self._system, difference)
            if resource.confirms() and not self._inspected(resource):
                raise Failure("still-differs", "it still differs after the change", "Does something else write it?")
            self._note(step)
        renewed = self._renewed(step, resource, began=bool(difference) and not getattr(actual, "running", False))
        return renewed or difference.action or "ok"

    def _renewed(self, step: Step, resource: Resource, *, began: bool) -> str:
        """Restart or reload a service that asks for it; one that was just started has everything already."""
        if not isinstance(resource, Service) or not resource.running or began:
            return ""
        verb = RESTART if step.restarts or self._any_changed(resource.restart_on) else ""
        verb = verb or (RELOAD if self._any_changed(resource.reload_on) else "")
        if verb:
            resource.check_passes(self._system)
            self._following.begin()
            resource.renew(self._system, verb)
            self._changes += 1
        return verb

    def _any_changed(self, triggers: Tuple[str, ...]) -> bool:
        return any(
            fnmatch.fnmatchcase(changed, trigger[len("path:") :]) if trigger.startswith("path:") else changed == trigger
            for trigger in triggers
            for changed in self._changed
        )

    def _note(self, step: Step) -> None:
        self._changes += 1
        place = step.item.resource.place if step.item else ""
        self._changed += [name for name in (step.wanted.name, step.wanted.id, place) if name]

    def _declared(self) -> FrozenSet[str]:
        """Paths that a purge leaves: what apps own here."""
        book = Book(self._system, self._request.fleet, self._request.host, writable=False)
        owned = (owned for app in book.names() for owned in book.app(app).owned.values())
        return frozenset(each.path for each in owned if each.path)

    # -- the end

    def _reboot(self, number: int, step: Step) -> None:
        """Remember where to go on, tell, restart the host."""
        self._following.begin()
        self._following.flush()
        progress = {"changed": self._changes}
        self._record = replace(self._record, state=REBOOTING, step=number + 1, boot=self._system.boot, result=progress)
        self._book.write(self._record)
        self._tell(RebootEvent(step.reboot_seconds))
        program = next((argv for argv in _REBOOT if self._system.has_program(argv[0])), None)
        if program is None:
            self._end(Failure("command-missing", "there is no program that restarts the host"))
            return
        done = self._system.run(Program(program, timeout_seconds=60.0))
        if done.code > 0:
            self._end(Failure("command-failed", f"{program[0]} failed", said=done.complaint))
        else:
            self._tell(RunFinished(REBOOTING, tries=self._record.tries, changed=self._changes))

    def _conclude(self, failed: Optional[StepFailed], left: int) -> None:
        if failed is None:
            self._finish("succeeded", RunFinished("succeeded", changed=self._changes, left=left))
            return
        failure, code = failed.failure, failed.failure.code
        if code == LOST:
            self._tell(RunFinished(LOST))
            return
        status = CANCELLED if code == CANCELLED else FAILED
        told = RunFinished(status, 0, failed.exit_code, failed.text, failure.hint, code, self._changes, left)
        self._finish(status, told)

    def _end(self, failure: Failure) -> None:
        """End a run of which nothing more will be done."""
        exhausted = max(self._record.tries, self._request.retries + 1)
        self._record = replace(self._record, tries=exhausted)
        self._finish(FAILED, RunFinished(FAILED, error=failure.text(), hint=failure.hint, code=failure.code))

    def _finish(self, state: str, told: RunFinished) -> None:
        told = replace(told, tries=self._record.tries)
        self._record = replace(self._record, state=state, result=asdict(told))
        self._book.write(self._record)
        self._tell(told)


class CommandFailed(Failure):
    """A command ended badly."""

    exit_code: Optional[int] = None


def _step(wanted: Wanted, *, sandbox: bool) -> Step:
    """Understand a step.

    Raises:
        Failure: as of `parse`.
    """
    if wanted.kind != REBOOT:
        return Step(wanted, parse(_without_restart(wanted), sandbox=sandbox), restarts=_restarts(wanted))
    if sandbox:
        raise Failure("not-in-sandbox", f"{wanted.name}: a sandbox cannot restart", "Use when: not host.sandbox")
    return Step(wanted, None, reboot_seconds=Fields(wanted.name, wanted.fields).seconds("timeout", _REBOOT_SECONDS))


def _restarts(wanted: Wanted) -> bool:
    return wanted.kind == Service.kind and wanted.fields.get("state") == "restarted"


def _without_restart(wanted: Wanted) -> Wanted:
    """A service that is restarted is wanted running."""
    if not _restarts(wanted):
        return wanted
    return replace(wanted, fields={**wanted.fields, "state": "running"})


def _finished(result: Mapping[str, Any]) -> RunFinished:
    names = {each.name for each in fields(RunFinished)}
    known: Dict[str, Any] = {name: value for name, value in result.items() if name in names}
    return RunFinished(**{"status": FAILED, **known})
