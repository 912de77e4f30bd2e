"""A whole host over SSH, for whoever installs something on it: the far end of the errands. Opened by `ssh`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.resources.machine.system import Completed

Ask = Callable[..., Mapping[str, Any]]


class SshMachine:
    """See Machine.

    Args:
        ask: sends an errand with its values, and gives the answer.
        close: lets go of the host.
    """

    def __init__(self, ask: Ask, close: Callable[[], None]) -> None:
        self._ask = ask
        self.close = close

    def run(
        self, *argv: str, env: Mapping[str, str] | None = None, stdin: bytes = b"", seconds: float = 300.0
    ) -> Completed:
        """See Machine."""
        given = b64encode(stdin).decode("ascii")
        return Completed(**self._ask("run", argv=argv, env=env or {}, stdin=given, seconds=seconds))

    def read(self, path: str) -> bytes | None:
        """See Machine."""
        content = self._ask("read", path=path)["content"]
        return None if content is None else b64decode(content)

    def write(self, path: str, content: bytes, mode: int) -> None:
        """See Machine."""
        self._ask("write", path=path, content=b64encode(content).decode("ascii"), mode=mode)

    def link(self, path: str, target: str) -> None:
        """See Machine."""
        self._ask("link", path=path, target=target)

    def names(self, directory: str) -> Sequence[str]:
        """See Machine."""
        return tuple(self._ask("list", path=directory)["names"])
