"""Runs of jobs: what an operator asks of one host, as values that are signed and handed from room to room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.work import Lane
from reconciler.resources.values import dataclass

AD_HOC = "command"
"""The job's name of a run that was given as a command."""


_BESIDE_A_TRY_SECONDS = 2 * 3600.0
"""For the pause before it, for what works on the host before it, and for executors that are lost on the way."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run on one host, as its operator signs it. All that the host needs is named in it."""

    fleet: str
    host: str
    id: str
    """The same on every host that it was asked of at once."""
    job: str
    bundle: str
    """Sha of the bundle with the job's steps, templates and policy."""
    values: str
    """Canonical JSON of what the steps read, as for an app; the parameters stand in its `config`."""
    not_after: int
    """Unix milliseconds after which it is not begun for the first time."""
    by: str
    """Who asked, for people."""
    key_id: str
    sealed: str = ""
    """SHA-256 of the secrets that are sealed for the host's agent; empty: there are none."""
    issue: int = 0
    """Grows when a person asks for it again; what was issued before is then void."""


@dataclass(frozen=True, slots=True)
class SignedRun:
    """A run's canonical JSON and its Ed25519 signature (64 bytes), with the secrets whose digest it names."""

    body: bytes
    signature: bytes
    sealed: bytes = b""

    def to_args(self, job: str) -> Mapping[str, Any]:
        """The arguments of the work that carries it out; `job` is for people."""
        sealed = {"sealed": self.sealed.hex()} if self.sealed else {}
        return {"job": job, "run": self.body.decode(), "signature": self.signature.hex(), **sealed}

    @classmethod
    def of_args(cls, args: Mapping[str, Any]) -> SignedRun:
        """What stands in the arguments of work; nonsense becomes a run that nobody signed."""
        body, signature, sealed = args.get("run"), args.get("signature"), args.get("sealed", "")
        try:
            return cls(str(body).encode(), bytes.fromhex(str(signature)), bytes.fromhex(str(sealed)))
        except ValueError:
            return cls(b"", b"")


@dataclass(frozen=True, slots=True)
class JobPolicy:
    """How a job's runs are carried out; part of its bundle."""

    user: str = "root"
    timeout_seconds: float = 600.0
    retries: int = 0
    on_lost: str = "fail"
    lane: Lane = Lane.SIDE
    lock: str = ""
    """A lock over the whole fleet; empty: none."""

    @property
    def longest_seconds(self) -> float:
        """How long after the last moment to begin it an honest run has ended, with all its tries."""
        return (self.retries + 1) * (self.timeout_seconds + _BESIDE_A_TRY_SECONDS)

    def waits_until(self, not_after: float, *, begun: bool) -> float:
        """Unix seconds until which a run waits for a host that is out of reach; 0: it ends, as it may not be repeated.

        Args:
            not_after: Unix seconds after which it is not begun for the first time.
            begun: whether it may have begun before.
        """
        if not self.retries and self.on_lost != "retry":
            return 0.0
        return not_after + (self.longest_seconds if begun else 0.0)

    def to_json(self) -> Mapping[str, Any]:
        """As it stands in a bundle."""
        return {
            "user": self.user,
            "timeout": self.timeout_seconds,
            "retries": self.retries,
            "onLost": self.on_lost,
            "lane": self.lane.value,
            "lock": self.lock,
        }

    @classmethod
    def from_json(cls, policy: Mapping[str, Any]) -> JobPolicy:
        """The inverse of to_json.

        Raises:
            KeyError, ValueError, TypeError: it is not a job's.
        """
        return cls(
            user=str(policy["user"]),
            timeout_seconds=float(policy["timeout"]),
            retries=int(policy["retries"]),
            on_lost=str(policy["onLost"]),
            lane=Lane(policy["lane"]),
            lock=str(policy["lock"]),
        )
