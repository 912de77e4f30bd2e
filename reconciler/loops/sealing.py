"""Seals the secrets that a host's apps read to the key of its agent. Called by the controller when it signs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.model.canonical import canonical
from reconciler.model.desired import DesiredApp
from reconciler.trust import seal


@dataclass(frozen=True, slots=True)
class Sealing:
    """Knows where secrets come from and whose key they are sealed to.

    Args:
        key: host -> the public half of its agent's sealing key, hexadecimal; empty where no agent works on it.
        resolve: paths -> clear values; raises InvalidInput for what is not found.
    """

    key: Callable[[str], str]
    resolve: Callable[[Iterable[str]], Mapping[str, str]]

    def sealed(self, key: str, apps: Iterable[DesiredApp]) -> bytes:
        """The secrets of these apps, sealed; empty without a key, or where they read none.

        Raises:
            InvalidInput: secrets are not found.
        """
        paths = sorted({path for app in apps for path in app.secrets})
        return seal(bytes.fromhex(key), canonical(dict(self.resolve(paths)))) if key and paths else b""
