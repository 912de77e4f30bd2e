"""Threads that work on hosts across the network: many hosts at once, each host one thing at a time.

Hosts of this machine need none: they are worked on in the caller's thread, one after the other. Used by the executor
for one-shot commands and by the worker of a watch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 32
"""How many hosts are worked on at the same time; a host that does not answer keeps one of these for 10 s."""

Found = TypeVar("Found")


class Crew:
    """At most `size` threads, made when they are needed.

    Args:
        remote: whether a host is across the network.
    """

    def __init__(self, remote: Callable[[str], bool], size: int = AT_ONCE) -> None:
        self.remote = remote
        self._size = size
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def busy(self) -> bool:
        """Whether anything that was started has not ended."""
        return bool(self._busy)

    def each(self, work: Callable[[str], Found], hosts: Iterable[str]) -> list[Found]:
        """What the work gives for each host, in their order; raises what the first that failed raised.

        An interrupt is not kept waiting: hosts whose turn has not come get none, what is under way is left to itself.
        """
        names = tuple(hosts)
        away = [host for host in names if self.remote(host)]
        if len(away) < 2:
            return [work(host) for host in names]
        pool = ThreadPoolExecutor(min(self._size, len(away)), thread_name_prefix="host")
        interrupted = True
        try:
            ahead = {host: pool.submit(work, host) for host in away}
            here = {host: work(host) for host in names if host not in ahead}
            found = [ahead[host].result() if host in ahead else here[host] for host in names]
            interrupted = False
        except Exception:
            interrupted = False
            raise
        finally:
            pool.shutdown(wait=not interrupted, cancel_futures=interrupted)
        return found

    def start(self, host: str, work: Callable[[], None]) -> bool:
        """Begin work on a host and come back at once; False, and nothing is begun, while it has other work."""
        with self._lock:
            if host in self._busy:
                return False
            self._busy.add(host)
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._size, thread_name_prefix="host")
            self._pool.submit(self._perform, host, work)
        return True

    def close(self) -> None:
        """Begin nothing more; what is under way is not waited for."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None

    def _perform(self, host: str, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._busy.discard(host)
