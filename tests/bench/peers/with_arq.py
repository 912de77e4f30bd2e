"""arq; results are kept for an hour."""

import asyncio

from arq import create_pool
from arq.connections import RedisSettings

from tests.bench.peers import URL, done

WORKER = ("arq", "tests.bench.peers.with_arq.Worker")
REDIS = RedisSettings.from_dsn(URL)


async def noop(_context: object) -> None:
    done()


class Worker:
    functions = (noop,)
    redis_settings = REDIS
    max_jobs = 10
    poll_delay = 0.01  # by default it rests 0.5 s between batches of 10


def enqueue(count: int) -> None:
    async def run() -> None:
        pool = await create_pool(REDIS)
        for _ in range(count):
            await pool.enqueue_job("noop")
        await pool.aclose()

    asyncio.run(run())
