"""Boots hosts, measures, prints one table and writes it into docs/benchmarks.md: `make bench-fleet`.

With names it runs only those and writes nothing, as in `make bench-fleet ARGS=compared`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from itertools import chain
from statistics import median

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.opening import at_url
from tests.bench.hosts import crowd, following, same_work
from tests.bench.page import Row, at_most, duration, printed, write
from tests.e2e.fleet import booted
from tests.e2e.ops import PROJECT, Ops
from tests.e2e.redis import serving
from tests.e2e.wheels import cached_wheels

HOSTS = ("web-1", "web-2", "web-3", "web-4")
ROUNDS = 5
FACTORS = {"pyinfra": 5, "ansible": 40}
"""How many times faster than these we want to be."""
SHOWN = {
    "first": "one directory and 20 templated files on 4 hosts over SSH, fresh processes: the first run",
    "again": "... nothing to change, every host looked at (`verify`; the others run again)",
    "change": "... one file changed",
}


def compared() -> Iterator[Row]:
    """The same work by us and by others."""
    with booted(*HOSTS) as fleet:
        ops = Ops(fleet.directory / "ops", fleet)
        same_work.furnish(ops)
        same_work.join(ops, fleet)
        found = same_work.measure(ops, fleet, ("reconciler", *FACTORS), ROUNDS)
    versions = _versions()
    target = ", ".join(f"{factor} times as fast as {name}" for name, factor in FACTORS.items())
    for step, what in SHOWN.items():
        ours, cpu = found["reconciler"][step]
        ratio = min(found[name][step][0] / ours / factor for name, factor in FACTORS.items())
        yield Row(what, f"{duration(ours)}, CPU {duration(cpu)}", target, ratio)
        for name in FACTORS:
            seconds, cpu = found[name][step]
            figure = f"{duration(seconds)}, CPU {duration(cpu)}"
            yield Row(f"... ... {versions[name]}", figure, f"ours: {seconds / ours:.1f} times as fast")


def followed() -> Iterator[Row]:
    """A watch that is at work."""
    with booted(*HOSTS) as fleet:
        ops = Ops(fleet.directory / "ops", fleet)
        same_work.furnish(ops)
        same_work.join(ops, fleet)
        pushed = following.measure(ops, fleet, pushed=True)
        saved = following.measure(ops, fleet, pushed=False)
    what = f"a watch at work, {following.COMMITS} commits of one file: from `git push` to all 4 hosts over SSH"
    yield from _latency(what, pushed)
    yield from _latency("... from saving and committing in the watched working tree", saved)


def by_agents() -> Iterator[Row]:
    """A watch that is at work, and agents on the hosts."""
    with booted(*HOSTS) as fleet, serving(fleet.directory / "redis") as url:
        ops = Ops(fleet.directory / "ops", fleet, {"RECONCILER_REDIS_URL": url})
        ops.give_wheels(cached_wheels())
        same_work.furnish(ops)
        same_work.join(ops, fleet)
        for name in HOSTS:
            ran = ops("hosts", "enroll", name)
            assert ran.code == 0, ran.out
        ops.commit("agents")
        with Store(at_url(url, SystemClock(), read_only=True)) as store:
            measured = following.measure(ops, fleet, pushed=True, recorded=lambda: _finished(store))
    yield from _latency(f"a watch and 4 agents, {following.COMMITS} commits: from `git push` to all hosts", measured)


def _finished(store: Store) -> Mapping[str, float]:
    found = store.observed.read(HOSTS)
    apps = {host: known.apps.get("bench") for host, known in found.items()}
    return {host: app.finished_at.timestamp() for host, app in apps.items() if app and app.finished_at}


def _latency(what: str, measured: tuple[list[float], list[float]]) -> Iterator[Row]:
    arrived, recorded = map(sorted, measured)
    yield at_most(f"{what}, p50", median(arrived), 0.3)
    yield Row("... p99", duration(arrived[-1 - len(arrived) // 100]))
    yield Row("... until that is recorded: p50", duration(median(recorded)))


def crowded() -> Iterator[Row]:
    """Many hosts from one process."""
    found = crowd.measure()
    for step, what in {"first": "first run", "again": "`verify`"}.items():
        peak = found[step]
        figure = f"{duration(peak.seconds)}, {peak.threads} threads, {peak.memory_bytes / 1e6:,.0f} MB"
        figure += f", {peak.unreachable} out of reach" if peak.unreachable else ""
        yield Row(f"{crowd.HOSTS} hosts over SSH from one process, their far ends on the same machine: {what}", figure)


def _versions() -> Mapping[str, str]:
    where = [str(path) for path in (PROJECT / ".bench/lib").glob("python*/site-packages")]
    found = {it.metadata["Name"]: it.version for it in distributions(path=where)}
    return {
        "pyinfra": f"pyinfra {found['pyinfra']}",
        "ansible": f"ansible-core {found['ansible-core']}, pipelining, 10 forks",
    }


BENCHMARKS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "compared": compared,
    "followed": followed,
    "by_agents": by_agents,
    "crowded": crowded,
}


def main(names: list[str]) -> None:
    """Run, print, and write the page's section when everything was run."""
    rows = printed(chain.from_iterable(BENCHMARKS[name]() for name in names or BENCHMARKS))
    if not names:
        write("On real hosts", "make bench-fleet", rows)


if __name__ == "__main__":
    main(sys.argv[1:])
