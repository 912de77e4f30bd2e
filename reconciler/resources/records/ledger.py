"""What a host knows of itself: who owns what, with which fingerprints, and how the last runs ended.

Values only, read by executors and the engine; `book` keeps them on disk.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from reconciler.resources.records.trial import Trial, trial_from_json
from reconciler.resources.values import asdict, dataclass, field, fields

_JSON_TYPES: Mapping[str, Tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "Mapping": (dict,),
    "Tuple": (list,),
}
"""A field's type -> what JSON may give for it."""

_REMEMBERED = 10


@dataclass(frozen=True)
class Owned:
    """A resource that stands in an app's name."""

    fingerprint: str
    """Of what was wanted when it was last brought to its state; empty while a run is under way."""
    kind: str = ""
    path: str = ""
    """Where it stands, for kinds that have a place."""
    serial: int = 0
    """Number of the write that brought it here, never used twice; restarts are decided by it. 0: never written."""
    adopted: bool = False
    """It existed before us, so it stays when it leaves the manifests."""
    absent: bool = False
    """It is wanted away: there is nothing to remove."""
    keep: bool = False
    backup: str = ""
    """Name in backups/ of what stood there before us."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What removing it needs to know: never content, never a secret."""


@dataclass(frozen=True)
class AppRecord:
    """One app on this host."""

    generation: int = 0
    digest: str = ""
    status: str = ""
    """converged, confirming, failed, rolled-back, unconfirmed; empty while its first run is under way."""
    error: str = ""
    changed_at: float = 0.0
    """Unix seconds of the last run that changed this record."""
    owned: Mapping[str, Owned] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    """Service id -> {"restart", "reload"} -> resource id -> serial of what it was last (re)started or reloaded with."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Resource id -> the app that took it over since this app last changed."""
    parents: Tuple[str, ...] = ()
    """Directories made on the way to something else; removed when empty and no longer needed."""
    rejected: Tuple[str, ...] = ()
    """Digests that failed here and are not tried again."""
    unconfirmed: str = ""
    """The digest that was taken back for want of contact; the second time it is rejected."""
    prune: str = "true"
    """What is removed when the app leaves: nobody says so any more then."""
    recovery: Mapping[str, Any] = field(default_factory=dict)
    """What the executor asked to be kept, given back as it came."""
    unfinished: Mapping[str, Any] = field(default_factory=dict)
    """What a run must remember to be taken back, see `memory`: until it ends, or its trial does."""

    @property
    def trial(self) -> Optional[Trial]:
        """The trial that its last run is on, if it is."""
        kept = self.unfinished.get("trial")
        return trial_from_json(kept) if kept else None

    @property
    def resources(self) -> Mapping[str, str]:
        """Resource id -> fingerprint of what stands here in the app's name; empty where a change of it was cut off."""
        return {key: owned.fingerprint for key, owned in self.owned.items()}

    @property
    def adopted(self) -> Tuple[str, ...]:
        """Ids of what existed before us, sorted."""
        return tuple(sorted(key for key, owned in self.owned.items() if owned.adopted))


@dataclass(frozen=True)
class Ledger:
    """All of one fleet's host; a machine that plays several hosts holds one for each."""

    generation: int = 0
    """The highest generation applied here."""
    serial: int = 0
    """The last number given to a write."""
    term: int = 0
    token: int = 0
    """The highest (term, token) that wrote here."""
    paused: Mapping[str, str] = field(default_factory=dict)
    """App (`*`: the host) -> why people paused it."""
    apps: Mapping[str, AppRecord] = field(default_factory=dict)
    damaged: str = ""
    """Where an unreadable ledger was moved to, or that it could not be read; empty normally."""


def reject(rejected: Sequence[str], digest: str) -> List[str]:
    """The rejected digests with one more; only the last few are remembered."""
    return [*(each for each in rejected if each != digest), digest][-_REMEMBERED:]


def ledger_to_json(ledger: Ledger) -> Dict[str, Any]:
    """The ledger as plain JSON values."""
    return asdict(ledger)


def ledger_from_json(document: Mapping[str, Any]) -> Ledger:
    """The inverse of ledger_to_json; fields that a newer version wrote are ignored.

    Raises:
        TypeError, AttributeError, KeyError: it is not what ledger_to_json makes.
    """
    values = _known(Ledger, document)
    values["apps"] = {name: record_from_json(record) for name, record in document.get("apps", {}).items()}
    return Ledger(**values)


def record_from_json(document: Mapping[str, Any]) -> AppRecord:
    """One app's record from plain JSON values."""
    values = _known(AppRecord, document)
    values["owned"] = {key: owned_from_json(owned) for key, owned in document.get("owned", {}).items()}
    for name in ("parents", "rejected"):
        values[name] = tuple(document.get(name, ()))
    return AppRecord(**values)


def owned_to_json(owned: Owned) -> Dict[str, Any]:
    """An entry as plain JSON values, defaults left out to keep the ledger short."""
    values = {**vars(owned), "fields": dict(owned.fields)}
    return {name: value for name, value in values.items() if value or name == "fingerprint"}


def owned_from_json(document: Mapping[str, Any]) -> Owned:
    """The inverse of owned_to_json."""
    return Owned(**_known(Owned, document))


_TYPES: Mapping[Any, Mapping[str, Tuple[type, ...]]] = {
    kind: {field.name: _JSON_TYPES[str(field.type).partition("[")[0]] for field in fields(kind)}
    for kind in (Owned, AppRecord, Ledger)
}


def _known(kind: Any, document: Mapping[str, Any]) -> Dict[str, Any]:
    """The fields that this version knows, each of the type that it has in JSON."""
    types = _TYPES[kind]
    known = {name: value for name, value in document.items() if name in types}
    for name, value in known.items():
        if type(value) not in types[name]:
            raise TypeError(f"{name} is of another type")
    return known
