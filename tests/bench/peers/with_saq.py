"""SAQ; results are kept for ten minutes."""

import asyncio

from saq import Queue

from tests.bench.peers import URL, done

WORKER = ("saq", "--quiet", "tests.bench.peers.with_saq.settings")


async def noop(_context: object) -> None:
    done()


settings = {"queue": Queue.from_url(URL), "functions": [noop], "concurrency": 10}


def enqueue(count: int) -> None:
    async def run() -> None:
        queue = Queue.from_url(URL)
        for _ in range(count):
            await queue.enqueue("noop")
        await queue.disconnect()

    asyncio.run(run())
