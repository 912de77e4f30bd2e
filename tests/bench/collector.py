"""What measuring costs: one sample, its place in Redis, a watch that samples 1,000 hosts, and an agent's memory."""

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.clock import SystemClock
from reconciler.loops.hosts.crew import Crew
from reconciler.loops.measuring.app_checks import AppChecks
from reconciler.loops.measuring.collector import Collector
from reconciler.loops.measuring.judging import Judging
from reconciler.loops.measuring.sample_writer import SampleWriter
from reconciler.loops.measuring.watched_host import WatchedHost
from reconciler.manifests import Loader
from reconciler.model.metrics import KEPT
from reconciler.model.monitoring import Alert, AlertScope
from reconciler.model.samples import Measuring
from reconciler.probes.readings import read
from reconciler.resources.channel.framing import Unpacker, pack
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.measuring.sampling import Sampler
from reconciler.source.working_tree import WorkingTree
from reconciler.store import HostSample, Store
from reconciler.store.opening import at_url
from tests.bench.server import server

ROOT = Path(__file__).parents[2]
INTERVAL = 5.0
HOSTS = 1_000
SECONDS = 30.0

AGENT = """
import re
from pathlib import Path
from reconciler.clock import SystemClock
from reconciler.store import opening
from reconciler.wiring import agent
from reconciler.loops.agents import agent as loop
from reconciler.rendering import Renderer
from reconciler.probes.readings import read
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.measuring.sampling import Sampler
sampler = Sampler(read, PosixSystem("/", clock=SystemClock()))
for _ in range(200):
    sampler.sample()
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


class Silent:
    """A log of nothing."""

    def info(self, event: str, **values: Any) -> None:
        pass

    warning = error = info


@dataclass
class Fleet:
    """Hosts that all answer with the same frame, as it comes over SSH."""

    rules: tuple[Alert, ...]
    frame: bytes
    hosts: Sequence[str] = field(default_factory=lambda: [f"host-{number}" for number in range(HOSTS)])
    measuring: Measuring = field(default_factory=Measuring)
    asked: int = 0

    def of(self, host: str) -> WatchedHost:
        return WatchedHost(host, rules=self.rules)

    def sample(self, host: str, apps: Sequence[AppChecks]) -> Mapping[str, Any]:
        self.asked += 1
        (reply,) = Unpacker().feed(self.frame)
        return reply


def measure() -> Mapping[str, float]:
    """`sample`: share of a core; `bytes`: a sample of a series; `fleet`: share of a core; `agent_mb`."""
    sampler = Sampler(read, PosixSystem("/", clock=SystemClock()))
    sampler.sample()
    before, count = time.process_time(), 50
    for _ in range(count):
        reply = sampler.sample()
    found = {"sample": (time.process_time() - before) / count / INTERVAL, "values": float(len(reply["values"]))}
    with server() as url, Store(at_url(url, SystemClock())) as store:
        found["bytes"] = _bytes(url, store)
        found["fleet"] = _fleet(store, pack(reply))
    printed = subprocess.run([sys.executable, "-c", AGENT], check=True, capture_output=True, text=True).stdout
    return {**found, "agent_mb": float(printed)}


def _bytes(url: str, store: Store) -> float:
    """An hour of one series, its key included."""
    from redis import Redis

    values = dict.fromkeys(sorted(KEPT), 1.5)
    store.metrics.write([HostSample("one", values, KEPT, age_seconds=age) for age in range(3600, 0, -5)])
    client = Redis.from_url(url)
    sizes = [int(client.memory_usage(key)) for key in client.keys("*series:cpu.percent:*")]  # type: ignore[arg-type]
    client.flushall()
    client.close()
    return sum(sizes) / len(sizes) / 720


def _fleet(store: Store, frame: bytes) -> float:
    """Processor time of sampling, judging and writing 1,000 hosts, by wall time."""
    manifests = Loader(None).load(WorkingTree(ROOT).tree())
    rules = tuple(rule for rule in manifests.alerts.values() if rule.scope is AlertScope.HOST)
    fleet, clock = Fleet(rules, frame), SystemClock()
    collector = Collector(
        sample=fleet.sample,
        writer=SampleWriter(store, clock),
        crew=Crew(lambda _: True),
        clock=clock,
        log=Silent(),
        judge=Judging(store, clock),
    )
    collector.show(fleet)
    stop = threading.Event()
    thread = threading.Thread(target=collector.run, args=(stop,))
    thread.start()
    time.sleep(2 * INTERVAL)
    asked, spent, began = fleet.asked, resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    time.sleep(SECONDS)
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    stop.set()
    thread.join()
    samples, expected = fleet.asked - asked, HOSTS * seconds / INTERVAL
    if len(store.metrics.latest(fleet.hosts)) < HOSTS or samples < 0.95 * expected:
        raise RuntimeError(f"only {samples} of {expected:.0f} samples were taken")
    return (after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime) / seconds


if __name__ == "__main__":
    print(measure())
