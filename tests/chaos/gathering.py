"""Gathers the evidence: the store's records, the lines that jobs wrote on their hosts, the hosts' own records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.clock import SystemClock
from reconciler.resources.records.run_record import run_name
from reconciler.store import Store
from reconciler.store.keys import PERMANENT, Keys
from reconciler.store.opening import at_url
from tests.chaos.evidence import Act, Asked, Evidence, Known
from tests.chaos.fleet import ACTS, FLEET, LOCKS, SANDBOXES

_INDEXES = ("queue", "side", "held", "delayed", "finished")
_LEFT = frozenset(
    {"HOST:queue", "HOST:side", "HOST:held", "HOST:delayed", "HOST:inflight:ID", "HOST:lease", "_:lock:ID"}
)


def gather(root: Path, url: str, hosts: Sequence[str], asked: Sequence[Asked]) -> Evidence:
    """Everything that is known, once nothing moves any more."""
    sandboxes = root / SANDBOXES
    with Store(at_url(url, SystemClock())) as store:
        return Evidence(
            asked=asked,
            known=[known for host in hosts for known in _known(store, host)],
            acts={host: acts_of(sandboxes / host / ACTS) for host in hosts},
            locked={lock: acts_of(sandboxes / lock) for lock in LOCKS},
            remembered={(each.host, each.id): _remembered(sandboxes, each) for each in asked},
            left=[*left_in(store), *_processes(sandboxes)],
            endless=_endless(store),
        )


def acts_of(path: Path) -> list[Act]:
    """The lines of a file that jobs wrote, in order."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return []
    return [_act(json.loads(line)) for line in lines]


def _act(line: dict[str, object]) -> Act:
    lock, record = line["lock"], line["record"]
    assert isinstance(lock, dict)
    assert isinstance(record, dict)
    _, host, _, _, id_ = lock["purpose"].split(" ")
    return Act(
        host=host,
        id=id_,
        at=str(line["at"]),
        process=int(str(line["act"])),
        executor=str(line["holder"]),
        holder=lock["mark"],
        token=lock["token"],
        exclusive=bool(line["exclusive"]),
        tries=record["tries"],
        lost=record["lost"],
    )


def _known(store: Store, host: str) -> Iterable[Known]:
    """All records of a host, also those that no index names."""
    slot, link = f"rc:{{{host}}}:", store.work._link
    listed: defaultdict[str, list[str]] = defaultdict(list)
    for index in _INDEXES:
        for id_ in link.send("ZRANGE", slot + index, 0, -1):
            listed[id_.decode()].append(index)
    prefix = f"{slot}work:"
    for key in link.send("KEYS", f"rc:{{{host}}}:work:*"):
        id_ = key.decode().removeprefix(prefix)
        work = store.work.get(host, id_)
        assert work
        yield Known(
            host,
            id_,
            work.state,
            began=work.started_at is not None or bool(work.result),
            deliveries=work.deliveries,
            code=str(work.result.get("code", "")),
            listed=tuple(listed[id_]),
        )


def left_in(store: Store) -> list[str]:
    """What waits in queues or is held by anyone: keys that go by themselves once there is nothing more to be done."""
    keys = Keys()
    return [key for key in _every_key(store) if keys.shape(key) in _LEFT]


def _endless(store: Store) -> list[str]:
    """Keys that never expire although they should."""
    keys, every = Keys(), _every_key(store)
    lives = store.work._link.send_all([("TTL", key) for key in every])
    permanent = frozenset(PERMANENT) - {"HOST:work:ID"}  # of a run that ended it is to expire
    return [key for key, life in zip(every, lives, strict=True) if life == -1 and keys.shape(key) not in permanent]


def _every_key(store: Store) -> list[str]:
    return [key.decode() for key in store.work._link.send("KEYS", "*")]


def _processes(sandboxes: Path) -> list[str]:
    """Programs of runs on these hosts that are still there."""
    found = []
    mark = f"RECONCILER_ROOT={sandboxes.resolve()}/".encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                found.append(f"process {entry.name}: {(entry / 'cmdline').read_bytes()[-80:]!r}")
    return found


def _remembered(sandboxes: Path, asked: Asked) -> str:
    name = run_name(FLEET, asked.host, asked.id)
    path = sandboxes / asked.host / "var/lib/reconciler/runs" / name / "record.json"
    try:
        return str(json.loads(path.read_text())["state"])
    except FileNotFoundError:
        return ""
