"""taskiq on Redis streams, with its Redis result backend."""

import asyncio

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from tests.bench.peers import URL, done

WORKER = ("taskiq", "worker", "tests.bench.peers.with_taskiq:broker", "--workers", "1", "--log-level", "ERROR")

broker = RedisStreamBroker(url=URL).with_result_backend(RedisAsyncResultBackend(URL, result_ex_time=600))


@broker.task
async def noop() -> None:
    done()


def enqueue(count: int) -> None:
    async def run() -> None:
        await broker.startup()
        for _ in range(count):
            await noop.kiq()
        await broker.shutdown()

    asyncio.run(run())
