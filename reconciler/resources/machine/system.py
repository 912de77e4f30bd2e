"""The narrow port through which resources look at a host and act on it.

Resources and the engine know only this; `posix.PosixSystem` is the real one, tests bring a host in memory.
Paths are absolute in the system's own root, which for a sandbox is a directory of the real machine.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import BinaryIO, Callable, Mapping, Optional, Protocol, Sequence, Tuple

from reconciler.resources.values import dataclass, field

TERM_GRACE_SECONDS = 10.0
OUTPUT_BYTES = 64 * 1024

FILE = "file"
DIRECTORY = "directory"
LINK = "link"
OTHER = "special file"


class Clock(Protocol):
    """A source of time, handed in so that nothing here asks for it."""

    def timestamp(self) -> float:
        """The wall clock, in Unix seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed point, never going back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for that long."""
        ...


@dataclass(frozen=True)
class Entry:
    """What stands at a path; a link is not followed."""

    kind: str
    """file, directory, link or special file."""
    mode: int
    """Permission bits only."""
    uid: int
    gid: int
    size: int = 0
    modified: float = 0.0
    """Unix seconds."""
    target: str = ""
    """Where a link points."""


@dataclass(frozen=True)
class Access:
    """Who may do what with something that is written."""

    uid: int
    gid: int
    mode: int


@dataclass(frozen=True)
class Command:
    """A program to run. It gets a small environment of its own, never the executor's."""

    argv: Tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: Optional[bytes] = None
    user: str = ""
    cwd: str = ""
    timeout_seconds: float = 300.0


@dataclass(frozen=True)
class Completed:
    """How a program ended. Each output is bounded to its last 64 KiB."""

    code: int
    """Exit code; negative: ended by that signal."""
    stdout: str = ""
    stderr: str = ""
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.timed_out

    @property
    def complaint(self) -> str:
        """The last lines that it said, for an error message."""
        said = [line for line in (self.stderr.strip() or self.stdout.strip()).splitlines() if line.strip()]
        ending = "timed out" if self.timed_out else f"exit code {self.code}"
        return ": ".join([ending, *(["; ".join(said[-3:])[-400:]] if said else [])])


@dataclass(frozen=True)
class Claim:
    """Who asks for the right to write; a higher (term, token) may end a holder that is stuck."""

    term: int
    token: int
    purpose: str
    """`fleet host app`, for the message that a waiting person reads."""


class Hearing(Protocol):
    """Follows programs while they run."""

    def hear(self, piece: bytes) -> None:
        """It printed this."""
        ...

    def over(self) -> bool:
        """Whether it must end now. Asked many times a second."""
        ...


class System(Protocol):
    """One host. Methods raise Failure or OSError; none leaves half a file behind."""

    @property
    def sandbox(self) -> bool:
        """Whether this is a directory that plays a host: no packages, services, users or foreign owners."""
        ...

    @property
    def state(self) -> str:
        """The directory of the ledger."""
        ...

    @property
    def clock(self) -> Clock: ...

    @property
    def boot(self) -> str:
        """Identifies the time since the machine was started; empty where that cannot be told."""
        ...

    def exclusive(self, claim: Claim, place: str = "") -> AbstractContextManager[None]:
        """The right to write, for as long as the context lasts.

        Args:
            claim: who asks.
            place: a directory beside the ledger that alone is meant, such as a run's own.

        Raises:
            Failure: `host-busy`, naming the holder.
        """
        ...

    def look(self, path: str) -> Optional[Entry]:
        """What stands at the path, or None."""
        ...

    def read(self, path: str, limit: Optional[int] = None) -> Optional[Tuple[Entry, bytes]]:
        """A regular file and its first `limit` bytes (default: all); None where there is no regular file."""
        ...

    def open(self, path: str) -> BinaryIO:
        """A regular file, to be read piece by piece; the caller closes it.

        Raises:
            FileNotFoundError: there is no regular file.
        """
        ...

    def download(self, url: str, path: str, limit: int) -> None:
        """Fetch a URL (http, https) into a file of our own, of at most `limit` bytes.

        Raises:
            Failure: `download-failed`; the file may then be there in part.
        """
        ...

    def listdir(self, path: str) -> Sequence[str]:
        """Names in a directory, sorted."""
        ...

    def write_atomic(self, path: str, content: bytes, access: Access, validate: Tuple[str, ...] = ()) -> None:
        """Replace a file in one step, after `validate` (argv with %s) accepted the new text; durable on return."""
        ...

    def append(self, path: str, content: bytes) -> None:
        """Add to a file of our own (mode 0600), durable on return."""
        ...

    def symlink(self, path: str, target: str) -> None:
        """Put a link there in one step, also in place of another link or a file."""
        ...

    def mkdir(self, path: str, access: Access) -> None:
        """Make one directory; its parent exists."""
        ...

    def grant(self, path: str, access: Access) -> None:
        """Owner, group and mode of a file or directory that stands there.

        Raises:
            Failure: `shared-file`, where a file has a second name that an unprivileged user could have made.
        """
        ...

    def grant_link(self, path: str, uid: int, gid: int) -> None:
        """Owner and group of a link that stands there; raises as `grant`."""
        ...

    def rename(self, old: str, new: str) -> None: ...

    def remove(self, path: str) -> None:
        """Remove a file, a link or an empty directory."""
        ...

    def sweep(self, path: str) -> None:
        """Remove the temporary that a write of this path may have left when it was killed."""
        ...

    def uid(self, name: str) -> Optional[int]:
        """The number of a user (by name, or a number as text); None if there is no such user."""
        ...

    def gid(self, name: str) -> Optional[int]:
        """The number of a group, likewise."""
        ...

    def own(self, mode: int) -> Access:
        """Access for what belongs to whoever runs this: the ledger, and directories on the way to something."""
        ...

    def user_name(self, uid: int) -> str: ...

    def group_name(self, gid: int) -> str: ...

    def has_program(self, name: str) -> bool:
        """Whether a command of that name can be run."""
        ...

    def run(self, command: Command) -> Completed:
        """Run a program to its end; after the timeout its process group gets TERM, and KILL 10 s later."""
        ...

    def enclosed(
        self, name: str, hearing: Hearing, *, fresh: bool = False
    ) -> AbstractContextManager[Callable[[], int]]:
        """Let no program that is run in the context outlive it, however it detaches itself.

        What an earlier context of this name left behind is ended first. The context gives a function that ends what is
        left now and tells how many processes that were.

        Args:
            name: the same for what is the same; letters and digits.
            hearing: follows every program that is run in the context.
            fresh: no earlier context of this name was left open, so nothing is looked for.
        """
        ...

    def entropy(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        ...
