"""Names of what may have left the manifests: a deleted app has a history. Called by commands that show records.

Who finds no record for a name asks here, so that a slip is never answered by saying that nothing has happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.cli.options import known
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.model.manifests import Manifests
    from reconciler.wiring.session import Session

_UNDECLARED = "Redis knows none of that name, and there are no manifests here that could be read"


def check_host(name: str, session: Session) -> None:
    """Raise InvalidInput unless the manifests or Redis know such a host."""
    manifests = _declared(session)
    _check(name, "host", manifests.hosts if manifests else None, session.store.observed.hosts())


def check_app(name: str, session: Session) -> None:
    """Raise InvalidInput unless the manifests know such an app, or some host had it."""
    manifests = _declared(session)
    observed = session.store.observed.read(session.store.observed.hosts())
    _check(name, "app", manifests.apps if manifests else None, (app for host in observed.values() for app in host.apps))


def check_job(name: str, session: Session) -> None:
    """Raise InvalidInput unless the manifests know such a job, or it has runs; commands have the same name always."""
    from reconciler.model.run import AD_HOC

    manifests = _declared(session)
    ran = (str(work.args.get("job", "")) for work in session.store.work.list())
    _check(name, "job", manifests.jobs if manifests else None, [AD_HOC, *ran])


def _check(name: str, kind: str, declared: Iterable[str] | None, recorded: Iterable[str]) -> None:
    known(name, {*(declared or ()), *recorded} - {""}, kind, _UNDECLARED if declared is None else "")


def _declared(session: Session) -> Manifests | None:
    """The manifests in force; None: there are none here, or none that can be read."""
    with suppress(InvalidInput):
        return session.in_force(session.manifests)[1]
    return None
