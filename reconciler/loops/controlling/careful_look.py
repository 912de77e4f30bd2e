"""What a plan may look at on a local host before anyone has agreed to it.

Manifests of a pull request are somebody's wish, not yet an order: a plan of them runs no program that they name, and
shows no file that is not ours already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.resources.protocol import Event, Finished, Request, ResourceEvent, Wanted
from reconciler.resources.records.ledger import AppRecord
from reconciler.resources.values import dataclass, replace

_GUARD = "its guard is a program, which a plan runs only after it was applied once"
_INVALID = frozenset({"bad-path", "invalid-field", "unknown-kind", "wrong-type", "not-in-sandbox"})
"""Codes of a look that failed because of what the manifests ask for, not because of the host."""


@dataclass(frozen=True, slots=True)
class CarefulLook:
    """A request for a look, and what of its answer may be used."""

    request: Request
    unasked: tuple[Wanted, ...]
    """Commands whose guards are left alone."""
    owned: frozenset[str]
    opaque: frozenset[str]
    """Ids whose secrets stand as references, so that only their absence can be told."""

    @classmethod
    def of(cls, request: Request, record: AppRecord, *, opaque: bool) -> CarefulLook:
        """Take out of a request what must not be asked yet.

        Args:
            request: what an apply would ask.
            record: what stands in the app's name on the host.
            opaque: whether secrets stand as references.
        """
        unasked = tuple(wanted for wanted in request.resources if _is_guarded(wanted) and not _agreed(wanted, record))
        return cls(
            replace(request, resources=tuple(wanted for wanted in request.resources if wanted not in unasked)),
            unasked,
            frozenset(record.owned),
            frozenset(wanted.id for wanted in request.resources if wanted.sensitive) if opaque else frozenset(),
        )

    def seen(self, events: Iterable[Event]) -> Mapping[str, ResourceEvent]:
        """Resource id -> what was seen.

        Raises:
            InvalidInput: the manifests ask for something that no host could do.
        """
        found: dict[str, ResourceEvent] = {}
        for event in events:
            if isinstance(event, Finished) and event.code in _INVALID:
                place = Place(host=self.request.host, app=self.request.app)
                raise InvalidInput(Problem(place, event.error, event.hint, event.code))
            if isinstance(event, ResourceEvent) and (event.id not in self.opaque or event.action == "add"):
                found[event.id] = event if event.id in self.owned else replace(event, before=None)
        unasked = {wanted.id: ResourceEvent(wanted.id, wanted.name, "failed", error=_GUARD) for wanted in self.unasked}
        return found | unasked


def _is_guarded(wanted: Wanted) -> bool:
    return wanted.kind == "command" and bool(wanted.fields.get("unless") or wanted.fields.get("onlyIf"))


def _agreed(wanted: Wanted, record: AppRecord) -> bool:
    """Whether exactly this was applied here before."""
    return record.resources.get(wanted.id) == wanted.fingerprint
