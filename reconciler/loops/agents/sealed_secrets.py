"""An agent's secrets: sealed by the controller to this host's key, named by hash in the signed statement, opened in
memory only. Handed to the executor, as `known_secrets` is on the ops server.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from reconciler.errors import Place, Refused
from reconciler.loops.hosts.host_view import HostView
from reconciler.trust import Masker, unseal


class SealedSecrets:
    """Opens what stands in the host's slot.

    Args:
        key: gives the private half of the host's sealing key.
        masker: is taught every value.
    """

    def __init__(self, key: Callable[[], bytes], masker: Masker) -> None:
        self._key = key
        self._masker = masker

    def of(self, view: HostView, app: str) -> tuple[Mapping[str, str], str]:
        """See `app_run.Secrets`; the fingerprint is the controller's, since its key never comes here.

        Raises:
            Refused: they are not what was signed, sealed to another key, or lack one that the app reads.
        """
        paths = view.secrets(app)
        if not paths:
            return {}, ""
        clear = self._opened(paths, view.sealed, Place(host=view.host, app=app), "Seal them anew: reconcile apply")
        return clear, view.statement.secrets.get(app, "")

    def of_run(self, host: str, paths: Sequence[str], sealed: bytes) -> Mapping[str, str]:
        """See `run_executor.RunSecrets`; raises as `of`."""
        return self._opened(paths, sealed, Place(host=host), "Ask anew: reconcile run") if paths else {}

    def _opened(self, paths: Sequence[str], sealed: bytes, place: Place, hint: str) -> Mapping[str, str]:
        clear: Mapping[str, str] = json.loads(unseal(self._key(), sealed)) if sealed else {}
        self._masker.learn(clear)
        missing = [path for path in paths if path not in clear]
        if missing:
            message = f"{', '.join(missing)}: not among the secrets that the controller sealed for this host"
            raise Refused.of("not-sealed", message, place=place, hint=hint)
        return {path: clear[path] for path in paths}
