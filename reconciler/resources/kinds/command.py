"""`command`: a program to run until its guard says that it is done."""

from __future__ import annotations

from typing import ClassVar, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import CHANGE, NOTHING, Context, Difference, Resource
from reconciler.resources.machine.system import Command as Program
from reconciler.resources.machine.system import Completed, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.values import dataclass, field, replace


@dataclass(frozen=True)
class CommandState:
    """Why it need not run; empty: it has to."""

    satisfied: str = ""


@dataclass(frozen=True)
class Command(Resource):
    """A program that runs where `creates` does not exist, `unless` fails and `onlyIf` succeeds.

    With none of the three it runs once, and again when it is declared differently.
    """

    kind: ClassVar[str] = "command"
    reversible: ClassVar[bool] = False
    stays: ClassVar[str] = "what a command did cannot be undone"

    argv: Tuple[str, ...]
    unless: Tuple[str, ...] = ()
    only_if: Tuple[str, ...] = ()
    creates: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    stdin: str = field(default="", repr=False)
    user: str = ""
    cwd: str = ""
    timeout_seconds: float = 300.0
    ran: bool = False
    """Whether it ran as it is declared now; filled in from the ledger."""

    @classmethod
    def parse(cls, fields: Fields) -> "Command":
        """Read the manifest's fields."""
        return cls(
            argv=fields.argv("argv", required=True),
            unless=fields.argv("unless"),
            only_if=fields.argv("onlyIf"),
            creates=fields.text("creates", ""),
            env=fields.mapping("env"),
            stdin=fields.text("stdin", ""),
            user=fields.text("user", ""),
            cwd=fields.text("cwd", ""),
            timeout_seconds=fields.seconds("timeout", 300.0),
        )

    @property
    def guarded(self) -> bool:
        """Whether a guard decides, not the ledger."""
        return bool(self.unless or self.only_if or self.creates)

    def within(self, context: Context) -> Command:
        """See Resource."""
        return replace(self, ran=context.ran)

    def inspect(self, system: System) -> Optional[CommandState]:
        if self.creates and system.look(self.creates) is not None:
            return CommandState(f"{self.creates} exists")
        if self.unless and self._run(system, self.unless).ok:
            return CommandState("unless succeeds")
        if self.only_if and not self._run(system, self.only_if).ok:
            return CommandState("onlyIf fails")
        if not self.guarded and self.ran:
            return CommandState("it ran")
        return None

    def difference(self, actual: Optional[CommandState]) -> Difference:
        return NOTHING if actual and actual.satisfied else Difference(CHANGE, ("run",))

    def apply(self, system: System, difference: Difference) -> None:
        done = self._run(system, self.argv, self.stdin)
        if not done.ok:
            raise Failure("command-failed", f"{self.argv[0]} failed", said=done.complaint)

    def preexisting(self, actual: Optional[CommandState], difference: Difference) -> bool:
        return False

    def confirms(self) -> bool:
        """Whether a second look can tell that it worked: `onlyIf` may well hold again."""
        return bool(self.creates or self.unless)

    def _run(self, system: System, argv: Tuple[str, ...], stdin: str = "") -> Completed:
        program = Program(argv, self.env, stdin.encode() if stdin else None, self.user, self.cwd, self.timeout_seconds)
        return system.run(program)

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        """There is nothing to take back."""
