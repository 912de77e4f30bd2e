"""dramatiq, with its Redis result backend, which keeps results only when asked to (PEER_RESULTS)."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from tests.bench.peers import URL, done

WORKER = ("dramatiq", "tests.bench.peers.with_dramatiq", "--processes", "1", "--threads", "8")
RESULTS = os.environ.get("PEER_RESULTS") == "yes"

broker = RedisBroker(url=URL)
if RESULTS:
    broker.add_middleware(Results(backend=RedisBackend(url=URL), result_ttl=600_000))
dramatiq.set_broker(broker)


@dramatiq.actor(**({"store_results": True} if RESULTS else {}))
def noop() -> bool:
    done()
    return True


def enqueue(count: int) -> None:
    for _ in range(count):
        noop.send()
