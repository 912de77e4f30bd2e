"""What each key holds, for people: `docs/reference/redis-keys.md` is made from this table.

Tests hold it against the keys that the store really writes, their types and times to live.
"""

from __future__ import annotations

from reconciler.resources.values import dataclass


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key."""

    shape: str
    """As `Keys.shape` names it."""
    key: str
    """As it reads with the usual prefix; capitals stand for names."""
    type: str
    """As `TYPE` says."""
    holds: str
    lives: str = ""
    """Until when; empty: until the host or app that it belongs to is forgotten, or for good."""


LAYOUT = (
    KeyKind(
        "HOST:desired",
        "rc:{HOST}:desired",
        "hash",
        "The signed `statement`, its `signature` and `generation`, secrets `sealed` for an agent; per app its content.",
    ),
    KeyKind(
        "HOST:config:APP",
        "rc:{HOST}:config:APP",
        "hash",
        "The app's resolved config on the host, to read. A secret is `secret:PATH`, anything but text is JSON.",
    ),
    KeyKind(
        "HOST:observed",
        "rc:{HOST}:observed",
        "hash",
        "App: generation, digest, status, revision, drift with what differs, error, times, as JSON.",
    ),
    KeyKind(
        "HOST:applied:APP",
        "rc:{HOST}:applied:APP",
        "string",
        "What was last applied (JSON): bundle, values, a fingerprint of each resource, what was adopted.",
    ),
    KeyKind(
        "HOST:facts",
        "rc:{HOST}:facts",
        "hash",
        "Facts of the machine as JSON; `seen_at`, and where it is out of reach `unreachable` and `unreachable_since`.",
    ),
    KeyKind("HOST:keys", "rc:{HOST}:keys", "hash", "Version: a signed list of the keys that the agent is to trust."),
    KeyKind(
        "HOST:ledger",
        "rc:{HOST}:ledger",
        "string",
        "Mirror of the host's ledger (JSON): highest generation, what is paused and why, digests that failed here.",
    ),
    KeyKind(
        "HOST:numbers",
        "rc:{HOST}:numbers",
        "hash",
        "Numbers that only grow: the controller's term, the generation, tokens of executors, the sequence of work.",
        "for good; 30 days after the host was forgotten",
    ),
    KeyKind(
        "HOST:metrics",
        "rc:{HOST}:metrics",
        "hash",
        "The latest sample: `cpu`, `mem`, `disk` (%), `network` (bytes/s), `status`, `sampled_at`; then each metric.",
    ),
    KeyKind(
        "HOST:series:METRIC:HOUR",
        "rc:{HOST}:series:METRIC:HOUR",
        "string",
        "An hour (Unix time / 3600) of a metric: step in ms as uint32, then float32 for each step, NaN for gaps.",
        "retention.raw",
    ),
    KeyKind(
        "HOST:rollup:METRIC:DAY",
        "rc:{HOST}:rollup:METRIC:DAY",
        "string",
        "A day (Unix time / 86400) of a metric: average and highest of each 5 minutes, float32, NaN for gaps.",
        "retention.rollup",
    ),
    KeyKind(
        "HOST:monitoring",
        "rc:{HOST}:monitoring",
        "string",
        "What the host's agent is to do (JSON): how often to sample, what to keep for how long, its alert rules.",
    ),
    KeyKind("HOST:full", "rc:{HOST}:full", "string", "Redis is short of memory: no series are written.", "2 minutes"),
    KeyKind("HOST:queue", "rc:{HOST}:queue", "zset", "Ids of work that is due, by priority and sequence."),
    KeyKind("HOST:side", "rc:{HOST}:side", "zset", "The same, of runs that change no resources and wait for nobody."),
    KeyKind("HOST:held", "rc:{HOST}:held", "zset", "Ids of runs that wait for a named lock, by priority."),
    KeyKind("HOST:delayed", "rc:{HOST}:delayed", "zset", "Ids of work that is tried again, by time."),
    KeyKind("HOST:finished", "rc:{HOST}:finished", "zset", "Ids of the last 1,000 that ended, by time.", "30 days"),
    KeyKind(
        "HOST:work:ID",
        "rc:{HOST}:work:ID",
        "hash",
        "A piece of work: kind, arguments, state, attempt, token, times, reason, result.",
        "30 days after it ended",
    ),
    KeyKind(
        "HOST:inflight:ID",
        "rc:{HOST}:inflight:ID",
        "string",
        "Who works on it. The id stays queued, so that a lease that runs out shows it again.",
        "30 s, renewed",
    ),
    KeyKind("HOST:output:ID", "rc:{HOST}:output:ID", "string", "The last 64 KiB that a run printed.", "7 days"),
    KeyKind("HOST:events", "rc:{HOST}:events", "stream", "What happened on the host; of bounded length."),
    KeyKind(
        "HOST:alerts",
        "rc:{HOST}:alerts",
        "hash",
        "Alert: state, since, value, labels, summary, as JSON; those that are pending, fire, or resolved a moment ago.",
    ),
    KeyKind(
        "HOST:transitions",
        "rc:{HOST}:transitions",
        "stream",
        "Changes of the host's alerts as JSON; of bounded length.",
    ),
    KeyKind(
        "HOST:applying",
        "rc:{HOST}:applying",
        "zset",
        "Apps that are being applied, whose alerts are held back, by the time when that ends.",
        "1 day",
    ),
    KeyKind("HOST:lease", "rc:{HOST}:lease", "string", "Which executor works on the host.", "30 s, renewed"),
    KeyKind("HOST:ready", "rc:{HOST}:ready", "zset", "Wakes the host's agent; only a hint.", "1 day"),
    KeyKind("HOST:asks", "rc:{HOST}:asks", "list", "People who ask the host's agent to look now.", "5 minutes"),
    KeyKind("HOST:answer:ID", "rc:{HOST}:answer:ID", "list", "What the agent saw.", "5 minutes"),
    KeyKind("POOL:ready", "rc:{pool:NAME}:ready", "zset", "Hosts with work: wakes executors; only a hint.", "1 day"),
    KeyKind("app:APP", "rc:app:{APP}", "hash", "The app's config as the manifest declares it, to read."),
    KeyKind(
        "bundle:BUNDLE",
        "rc:bundle:{SHA256}",
        "string",
        "Resources, templates and policies of an app, compressed; the name is the digest of the content.",
        "90 days after it was last needed",
    ),
    KeyKind("_:hosts", "rc:{_}:hosts", "set", "Names of all hosts that anything was written of."),
    KeyKind("_:apps", "rc:{_}:apps", "set", "Names of all apps."),
    KeyKind("_:numbers", "rc:{_}:numbers", "hash", "The term of control, which only grows."),
    KeyKind("_:control", "rc:{_}:control", "string", "Which controller holds control.", "15 s, renewed"),
    KeyKind("_:fleet", "rc:{_}:fleet", "hash", "What the controller follows: revision, branch, holder, since when."),
    KeyKind("_:events", "rc:{_}:events", "stream", "What happened in the fleet; of bounded length."),
    KeyKind("_:locks", "rc:{_}:locks", "set", "Names of locks that runs have asked for."),
    KeyKind("_:lock:ID", "rc:{_}:lock:NAME", "zset", "Runs that want the lock, the one that has it first.", "30 days"),
    KeyKind(
        "_:alerts",
        "rc:{_}:alerts",
        "hash",
        "Alerts of the monitor itself: those that are built in, and those over the fleet.",
    ),
    KeyKind("_:transitions", "rc:{_}:transitions", "stream", "Changes of these alerts; of bounded length."),
    KeyKind("_:acks", "rc:{_}:acks", "hash", "Alert: who looks after it, since when and why.", "until it resolves"),
    KeyKind("_:silences", "rc:{_}:silences", "hash", "Silences that were set by hand.", "until they are over"),
    KeyKind(
        "_:told",
        "rc:{_}:told",
        "hash",
        "Channel and group: the alerts that were told, and when.",
        "until they are over",
    ),
    KeyKind("_:outbox", "rc:{_}:outbox", "hash", "Notifications that are to be sent, by id.", "until they were sent"),
    KeyKind("_:outboxed", "rc:{_}:outboxed", "zset", "Ids that were put into the outbox, by time.", "7 days"),
    KeyKind(
        "_:unsent:ID",
        "rc:{_}:unsent:TARGET",
        "hash",
        "Notifications that a URL of a channel has not got yet, by id. The key holds a digest of the URL.",
        "7 days after the last attempt",
    ),
    KeyKind("_:due:ID", "rc:{_}:due:TARGET", "zset", "Their ids, by when they are tried.", "7 days, as above"),
    KeyKind(
        "_:target:ID",
        "rc:{_}:target:TARGET",
        "hash",
        "How many messages the URL may get just now, why it did not get the last one, the `version` of its last turn.",
        "7 days, as above",
    ),
    KeyKind(
        "_:schedule:ID",
        "rc:{_}:schedule:NAME",
        "hash",
        "How far a schedule has come on each host and what became of its last runs (JSON `state`); its `version`.",
        "30 days after it left the manifests",
    ),
    KeyKind("_:suspended", "rc:{_}:suspended", "hash", "Schedule: who suspended it, when and why."),
    KeyKind("_:requests", "rc:{_}:requests", "list", "People who ask the watch to reconcile now.", "5 minutes"),
    KeyKind("_:answer:ID", "rc:{_}:answer:ID", "list", "What the watch answered.", "5 minutes"),
)
"""Every key, a host's first."""
