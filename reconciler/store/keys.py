"""Every key of the store is built here; the Lua functions append the same names to the slot that they are given.

Called by the other modules of this room only. All keys of a host carry its name as the hash tag, so that each atomic
step is one slot of a Redis Cluster.
"""

from __future__ import annotations

import re

from reconciler.resources.values import dataclass

PERMANENT = (
    "HOST:desired",
    "HOST:config:APP",
    "HOST:observed",
    "HOST:applied:APP",
    "HOST:facts",
    "HOST:keys",
    "HOST:ledger",
    "HOST:metrics",
    "HOST:monitoring",
    "HOST:numbers",
    "HOST:queue",
    "HOST:side",
    "HOST:held",
    "HOST:delayed",
    "HOST:events",
    "HOST:alerts",
    "HOST:transitions",
    "HOST:work:ID",
    "app:APP",
    "_:apps",
    "_:hosts",
    "_:numbers",
    "_:fleet",
    "_:events",
    "_:locks",
    "_:alerts",
    "_:transitions",
    "_:acks",
    "_:silences",
    "_:told",
    "_:outbox",
    "_:suspended",
)
"""The keys that live until something removes them; every other key has a time to live.

What a host should be and is: `desired`, `config`, `observed`, `applied`, `facts`, `ledger` (until it is forgotten).
`metrics`: its latest sample. `monitoring`: what its agent is to measure and to alert of.
`keys`: the signed lists of keys that its agent is to trust.
`numbers`: the term, generation, token and sequence, which only grow. `queue`, `side`, `held`, `delayed`, `work`: what
nobody has finished (a finished record gets a time to live). `events`: streams of bounded length. Of control: the names
of hosts, apps and locks in use, the numbers, what the follower follows, the events of the whole fleet, and which
schedules people have suspended. `alerts` are as many as fire and were resolved a moment ago, `transitions` streams of
bounded length; what the monitor remembers of alerts (`acks`, `silences`, `told`) goes when they are over, `outbox` when
it was sent.
"""


@dataclass(frozen=True, slots=True)
class Keys:
    """Builds keys under one prefix."""

    prefix: str = "rc:"

    def host(self, host: str) -> str:
        """A host's slot: what all its keys begin with."""
        return f"{self.prefix}{{{host}}}:"

    @property
    def control(self) -> str:
        """The slot of control; `_` can be no host's name."""
        return f"{self.prefix}{{_}}:"

    def lock(self, name: str) -> str:
        """Who waits for a named lock, the one who has it first."""
        return f"{self.control}lock:{name}"

    def schedule(self, name: str) -> str:
        """How far a schedule has come."""
        return f"{self.control}schedule:{name}"

    def app(self, app: str) -> str:
        return f"{self.prefix}app:{{{app}}}"

    def bundle(self, sha: str) -> str:
        return f"{self.prefix}bundle:{{{sha}}}"

    def ready(self, pool: str) -> str:
        return f"{self.prefix}{{pool:{pool}}}:ready"

    def shape(self, key: str) -> str:
        """The key with its variable parts replaced, as PERMANENT lists it: `rc:{web-1}:work:1` -> `HOST:work:ID`."""
        rest = key.removeprefix(self.prefix)
        rest = re.sub(r"^\{_\}:", "_:", rest)
        rest = re.sub(r"^\{pool:[^}]*\}:", "POOL:", rest)
        rest = re.sub(r"^\{[^}]*\}:", "HOST:", rest)
        rest = re.sub(r"^(app|bundle):\{.*\}$", lambda found: f"{found[1]}:{found[1].upper()}", rest)
        rest = re.sub(r"^(HOST:(?:config|applied)):.*", r"\1:APP", rest)
        rest = re.sub(r"^HOST:series:.*", "HOST:series:METRIC:HOUR", rest)
        rest = re.sub(r"^HOST:rollup:.*", "HOST:rollup:METRIC:DAY", rest)
        of_control = "answer|lock|schedule|unsent|due|target"
        return re.sub(rf"^(HOST:(?:work|inflight|answer|output)|_:(?:{of_control})):.*", r"\1:ID", rest)
