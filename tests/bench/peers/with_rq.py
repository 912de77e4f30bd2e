"""RQ; its worker forks for each job."""

from redis import Redis
from rq import Queue

from tests.bench.peers import URL, done

WORKER = ("rq", "worker", "--quiet", "--url", URL, "noop")


def enqueue(count: int) -> None:
    queue = Queue("noop", connection=Redis.from_url(URL))
    queue.enqueue_many([Queue.prepare_data(noop) for _ in range(count)])


def noop() -> None:
    done()
