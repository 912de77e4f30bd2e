"""Clear values of secrets with the keyed fingerprint that shows a rotation, for the controller and the executor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from reconciler.errors import NOWHERE, Place
from reconciler.loops.hosts.host_view import HostView
from reconciler.model.desired import DesiredApp
from reconciler.trust import secrets_fingerprint

Where = Callable[[str], Place]
"""The place that refers to a secret, for problems."""


def _nowhere(_: str) -> Place:
    return NOWHERE


class Providers(Protocol):
    """Where clear values come from: environment, directories of files, a command."""

    def resolve(self, paths: Iterable[str], where: Where) -> Mapping[str, str]:
        """Path -> clear text; raises InvalidInput naming everything that was tried."""
        ...


class KnownSecrets:
    """Resolves each secret once between two calls of `forget`; threads may share it.

    Args:
        key: derived from the controller's signing key; None where there is none, as in pull-request checks.
    """

    def __init__(self, providers: Providers, key: bytes | None) -> None:
        self._providers = providers
        self._key = key
        self._values: dict[str, str] = {}

    @property
    def keyed(self) -> bool:
        """Whether fingerprints can be made here."""
        return self._key is not None

    def forget(self) -> None:
        """Ask the providers again from now on, so that a rotation is seen."""
        self._values = {}

    def of_run(self, host: str, paths: Sequence[str], sealed: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the port's
        """See `run_executor.RunSecrets`."""
        return self.resolve(paths)

    def resolve(self, paths: Iterable[str], where: Where = _nowhere) -> Mapping[str, str]:
        """Path -> clear text.

        Args:
            paths: of the secrets.
            where: the place that refers to a path; without it problems have none.

        Raises:
            InvalidInput: secrets are not found; one problem each.
        """
        asked = tuple(paths)
        known = self._values
        missing = [path for path in asked if path not in known]
        if missing:
            known.update(self._providers.resolve(missing, where))
        return {path: known[path] for path in asked}

    def of(self, view: HostView, app: str) -> tuple[Mapping[str, str], str]:
        """See `app_run.Secrets`."""
        values = self.resolve(view.secrets(app))
        return values, self.fingerprint(values)

    def fingerprint(self, values: Mapping[str, str]) -> str:
        """One fingerprint for these values; empty without values or without a key."""
        return secrets_fingerprint(self._key, values) if values and self._key else ""

    def fingerprints(
        self, readers: Collection[DesiredApp], where: Where = _nowhere
    ) -> Mapping[tuple[str, str], str] | None:
        """(host, app) -> fingerprint now, of apps that need secrets; None without a key.

        Raises:
            InvalidInput: secrets are not found.
        """
        if self._key is None:
            return None
        self.resolve(sorted({path for app in readers for path in app.secrets}), where)
        by_paths = {paths: self.fingerprint(self.resolve(paths)) for paths in {app.secrets for app in readers}}
        return {(app.host, app.app): by_paths[app.secrets] for app in readers}
