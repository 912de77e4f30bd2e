"""Runs the benchmarks, prints one table and writes it into docs/benchmarks.md: `python -m tests.bench [plan ...]`.

With names it runs only those and writes nothing. A figure is compared with its target, never asserted.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from tests.bench.page import Row, at_most, duration, printed, rate, write


def plan() -> Iterator[Row]:
    """Planning a large fleet."""
    from tests.bench.plan import measure

    found = measure()
    fleet = "10,000 hosts, 50,000 apps, 1 M resources"
    yield at_most(f"`reconcile --dry-run` of {fleet}, all converged: nothing parsed before", found["cold"], 10)
    yield at_most("... parsed manifests cached", found["warm"], 3)
    yield at_most("... watching, a label of one host changed", found["change_host"], 0.3)
    yield at_most("... watching, a template of an app on 1,000 hosts changed", found["change_template"], 0.3)
    yield at_most("... watching, that template changed again", found["change_template_again"], 0.3)
    yield at_most("... watching, a value of an app on 1,000 hosts changed", found["change_app"], 0.3)
    memory = found["memory_mb"]
    yield Row("... peak memory", f"{memory:,.0f} MB", "<= 600 MB", 600 / memory)
    yield Row("... first plan ever, all of it to add", duration(found["first"]))
    yield Row("... its peak memory", f"{found['first_memory_mb']:,.0f} MB")


def converge() -> Iterator[Row]:
    """Files on a local host."""
    from tests.bench.converge import measure

    found = measure()
    yield at_most("converge 1,000 files that are right already", found["again"], 0.3)
    yield Row("converge 1,000 new files, each synchronised to disk", duration(found["first"]))


def startup() -> Iterator[Row]:
    """The command line."""
    from tests.bench.startup import measure

    found = measure()
    yield at_most("`reconcile --version`", found["version"], 0.15)
    yield at_most("`reconcile validate` of 100 manifests and 49 templates: nothing parsed before", found["cold"], 0.4)
    yield at_most("... parsed manifests cached, a host and a template changed since", found["changed"], 0.4)
    yield at_most("... nothing changed since", found["same"], 0.4)


def queue() -> Iterator[Row]:
    """The work queue and its peers, in one sitting; of each the better of two rounds."""
    from tests.bench import queue_peers

    rounds = [(queue_peers.measure(), _our_queue()) for _ in range(2)]
    peers = {name: max(found.get(name, 0.0) for found, _ in rounds) for found, _ in rounds for name in found}
    enqueued, finished = (max(rates) for rates in zip(*(ours for _, ours in rounds), strict=True))
    best = max(speed for name, speed in peers.items() if name != queue_peers.FORGETFUL)
    yield Row(
        "no-op runs over 1,000 hosts with records kept, one process of four threads",
        rate(finished),
        f">= {rate(5 * best)}, 5 times the best that keeps results",
        finished / (5 * best),
    )
    for name, speed in sorted(peers.items(), key=lambda pair: pair[1]):
        yield Row(f"... {name}, one worker process", rate(speed), f"ours: {finished / speed:,.1f} times as many")
    yield Row("... enqueueing them, in batches of 200", rate(enqueued))


def alerts() -> Iterator[Row]:
    """Rules, silent hosts and routing."""
    from tests.bench.alerts import measure

    found = measure()
    yield at_most("50 alert rules evaluated at one sample, 10 of them firing", found["sample"], 0.001)
    yield at_most("samples and alerts of 10,000 hosts swept, 100 of them silent", found["sweep"], 0.2)
    yield at_most("10,000 new alerts grouped and routed over 5 channels", found["routing"], 2)


def notifications() -> Iterator[Row]:
    """The monitor and the notifier, from Redis to a service."""
    from tests.bench.notifications import measure

    found = measure()
    read = "10,000 hosts' alerts read, grouped, routed, put into the outbox and remembered"
    yield at_most(f"a whole turn of the monitor: {read} as {found['told']:,.0f} messages", found["turn"], 2)
    sent = f"{found['sent'] - 1:,.0f} of them and a digest of the others"
    yield Row(f"... sent to a webhook that takes 300 a minute: {sent}, time at work", duration(found["sending"]))


def _our_queue() -> tuple[float, float]:
    """Runs enqueued and runs finished, each a second."""
    from reconciler.clock import SystemClock
    from reconciler.store import Store
    from reconciler.store.opening import at_url
    from tests.bench import work_queue
    from tests.bench.server import server

    with server() as url, Store(at_url(url, SystemClock())) as store:
        return work_queue.measure(store, runs=20_000, hosts=1_000, batch=200)


def schedules() -> Iterator[Row]:
    """The scheduler."""
    from tests.bench.schedules import measure

    found = measure()
    due = f"{found['most']:,.0f} runs due in the fullest minute"
    yield at_most(
        f"10,000 schedules on 10 hosts each: next due runs found and decided on, {due}", found["slowest"], 0.1
    )
    yield Row("... all next times worked out from nothing", duration(found["first"]))


def collector() -> Iterator[Row]:
    """Measuring hosts."""
    from tests.bench.collector import measure

    found = measure()
    yield _share(f"sampling a host every 5 s ({found['values']:.0f} values), of one core", found["sample"], 0.01)
    yield _share(
        "sampling, judging (10 rules) and writing 1,000 simulated hosts every 5 s, of one core", found["fleet"], 0.5
    )
    yield Row("a sample in Redis, key included", f"{found['bytes']:.1f} bytes", "<= 6 bytes", 6 / found["bytes"])
    memory = found["agent_mb"]
    yield Row("memory of an agent that samples", f"{memory:,.0f} MB", "<= 60 MB", 60 / memory)


def _share(what: str, share: float, target: float) -> Row:
    return Row(what, f"{share:.2%}", f"<= {target:.0%}", target / share)


BENCHMARKS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "plan": plan,
    "converge": converge,
    "startup": startup,
    "queue": queue,
    "alerts": alerts,
    "notifications": notifications,
    "schedules": schedules,
    "collector": collector,
}


def main(names: list[str]) -> None:
    """Run, print, and write the page's section when everything was run."""
    rows = printed(chain.from_iterable(BENCHMARKS[name]() for name in names or BENCHMARKS))
    if not names:
        write("On one machine", "make bench", rows)


if __name__ == "__main__":
    main(sys.argv[1:])
