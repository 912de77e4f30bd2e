"""Seals the secrets that a host's apps read to the key of its agent. Called by the controller when it signs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from reconciler.loops.hosts.host_view import named_secrets
from reconciler.model.canonical import canonical
from reconciler.model.desired import Bundle, DesiredApp
from reconciler.resources.values import dataclass
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

    def sealed(self, key: str, apps: Iterable[DesiredApp], bundles: Mapping[str, Bundle]) -> bytes:
        """The secrets that the content of these apps names, sealed; empty without a key, or where there are none.

        What Redis says beside the content counts for nothing: a host could have others' secrets sealed to itself.

        Raises:
            InvalidInput: secrets are not found.
        """
        named = ((bundles[app.bundle], json.loads(app.values)) for app in apps if key and app.bundle in bundles)
        paths = {path for bundle, values in named for path in named_secrets(bundle, values)}
        return seal(bytes.fromhex(key), canonical(dict(self.resolve(sorted(paths))))) if paths else b""
