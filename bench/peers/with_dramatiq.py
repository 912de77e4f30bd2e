"""dramatiq; without results, which it keeps only when asked to."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.peers import URL, done

NAME = "dramatiq (no results)"
WORKER = ("dramatiq", "bench.peers.with_dramatiq", "--processes", "1", "--threads", "8")

dramatiq.set_broker(RedisBroker(url=URL))


@dramatiq.actor
def noop() -> None:
    done()


def enqueue(count: int) -> None:
    for _ in range(count):
        noop.send()
