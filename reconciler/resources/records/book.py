"""The ledger on disk: one JSON file, and a journal of what happened since it was last written.

Opened by the engine under the host's lock. What must survive a kill is recorded: it is in the journal, durably,
before anything is done. What can be found again by looking is only put: it is written when the run ends.
"""

from __future__ import annotations

import json
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.machine.places import backups, make_parents
from reconciler.resources.machine.system import System
from reconciler.resources.records.ledger import AppRecord, Ledger, ledger_from_json, record_from_json

VERSION = 1
LARGEST_BYTES = 64 << 20
"""Of the ledger and of the journal. A resource takes about 300 bytes."""

_WRONG = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What reading something that we did not write can raise."""

Put = Tuple[Tuple[str, ...], Any]
"""A way into the host's part of the document, and what stands there from now on; None: nothing."""


def ledger_path(system: System) -> str:
    """Where the ledger stands."""
    return f"{system.state}/ledger.json"


def journal_path(system: System) -> str:
    """Where the journal stands, while there is one."""
    return f"{system.state}/journal"


def read_ledger(system: System, fleet: str, host: str) -> Ledger:
    """What the host knows of itself, without the right to write; a damaged ledger is told in `damaged`."""
    try:
        document = _load(system)
    except _Damaged:
        return Ledger(damaged=ledger_path(system))
    return ledger_from_json(document["fleets"].get(fleet, {}).get(host, {}))


class Book:
    """A ledger in memory, with the ways to keep it."""

    def __init__(self, system: System, fleet: str, host: str, *, writable: bool = True) -> None:
        """Read it, with what a killed run left in the journal.

        A writer moves a damaged one aside and begins a new one; a reader sees an empty one.
        """
        self._system = system
        self._scope = ("fleets", fleet, host)
        self._records: Dict[str, AppRecord] = {}
        self.changed = False
        """Whether there is anything to save."""
        self.moved_aside = ""
        """Where a damaged ledger went, for people to be told."""
        try:
            self._document = _load(system)
        except _Damaged:
            self._document = _empty()
            if writable:
                self.moved_aside = self._move_aside()
        if writable:
            self._recover()

    def _recover(self) -> None:
        """Finish what a killed run began: its journal becomes part of the file, its backups are not kept for nobody."""
        if self._system.look(journal_path(self._system)) is not None:
            self.changed = True
            self.save()
        else:
            self._forget_backups()

    def _move_aside(self) -> str:
        paths = [ledger_path(self._system), journal_path(self._system)]
        number = 1
        while any(self._system.look(f"{path}.damaged-{number}") is not None for path in paths):
            number += 1
        found = [path for path in paths if self._system.look(path) is not None]
        for path in found:
            self._system.rename(path, f"{path}.damaged-{number}")
        return f"{found[0]}.damaged-{number}"

    # -- reading

    def number(self, name: str) -> int:
        """One of the host's numbers: generation, serial, term, token."""
        return int(self._host().get(name, 0))

    def names(self) -> FrozenSet[str]:
        """The apps that have a record."""
        return frozenset(self._host().get("apps", {}))

    def app(self, name: str) -> AppRecord:
        """One app's record; an empty one if it was never here."""
        if name not in self._records:
            self._records[name] = record_from_json(self._host().get("apps", {}).get(name, {}))
        return self._records[name]

    def raw_app(self, name: str) -> Mapping[str, Any]:
        """One app's record as it is kept."""
        record: Mapping[str, Any] = self._host()["apps"][name]
        return record

    def others(self, app: str) -> Iterator[Tuple[str, AppRecord]]:
        """The other apps of this host."""
        for name in sorted(self.names() - {app}):
            yield name, self.app(name)

    def foreign_places(self) -> Dict[str, str]:
        """Paths that other fleets and hosts own on this machine -> who owns them."""
        found = {}
        for fleet, hosts in self._document["fleets"].items():
            for host, ledger in hosts.items():
                if ("fleets", fleet, host) == self._scope:
                    continue
                for app, record in ledger.get("apps", {}).items():
                    paths = (owned.get("path") for owned in record.get("owned", {}).values())
                    found.update({path: f"{app} of fleet {fleet}, host {host}" for path in paths if path})
        return found

    def _host(self) -> Mapping[str, Any]:
        found: Any = self._document
        for part in self._scope:
            found = found.get(part, {})
        return found if isinstance(found, dict) else {}

    # -- writing

    def put(self, *puts: Put) -> None:
        """Change it in memory; on disk when the run ends."""
        for path, value in puts:
            if _set(self._document, (*self._scope, *path), value):
                self.changed = True
                self._records.clear()

    def record(self, *puts: Put) -> None:
        """Change it in memory and, before returning, in the journal."""
        line = {"epoch": self._document["epoch"], "scope": self._scope, "puts": puts}
        self._prepare()
        self._system.append(journal_path(self._system), json.dumps(line).encode() + b"\n")
        self.put(*puts)

    def next_serial(self) -> int:
        """A number for a write that no other write has; it counts only once it is recorded."""
        return self.number("serial") + 1

    def save(self) -> None:
        """Write the file and end the journal, if anything changed. Backups that nobody refers to are removed between.

        The journal's file goes last, so that a run after a kill finishes this; its old epoch makes its lines void.
        """
        if not self.changed:
            return
        self._prepare()
        self._document["epoch"] += 1
        content = self._content()
        rights = self._system.own(0o600)
        self._system.write_atomic(ledger_path(self._system), content, rights)
        self._forget_backups()
        if self._system.look(journal_path(self._system)) is not None:
            self._system.remove(journal_path(self._system))
        self.changed = False

    def _prepare(self) -> None:
        if self._system.look(self._system.state) is None:
            make_parents(self._system, self._system.state)
            self._system.mkdir(self._system.state, self._system.own(0o700))

    def _content(self) -> bytes:
        return json.dumps(self._document, separators=(",", ":"), ensure_ascii=False).encode()

    def _forget_backups(self) -> None:
        """Remove backups that the ledger does not name."""
        if self._system.look(backups(self._system)) is None:
            return
        names = self._system.listdir(backups(self._system))
        content = self._content() if names else b""
        for name in names:
            if name.encode() not in content:
                self._system.remove(f"{backups(self._system)}/{name}")


class _Damaged(Exception):
    """The ledger's file is not what we wrote."""


def _empty() -> Dict[str, Any]:
    return {"version": VERSION, "epoch": 0, "fleets": {}}


def _load(system: System) -> Dict[str, Any]:
    found = system.read(ledger_path(system), LARGEST_BYTES + 1)
    document = _empty() if found is None else _parse(found[1])
    journal = system.read(journal_path(system), LARGEST_BYTES + 1)
    try:
        for line in _lines(journal[1] if journal else b""):
            if line["epoch"] == document["epoch"]:
                for path, value in line["puts"]:
                    _set(document, (*line["scope"], *path), value)
        _check(document)
    except _WRONG as error:
        raise _Damaged from error
    return document


def _parse(content: bytes) -> Dict[str, Any]:
    try:
        document: Dict[str, Any] = json.loads(_bounded(content))
        if int(document["version"]) > VERSION:
            raise Failure("ledger-too-new", "this host's ledger was written by a newer version", "Upgrade this one.")
        _check(document)
    except _WRONG as error:
        raise _Damaged from error
    return document


def _check(document: Mapping[str, Any]) -> None:
    """Raise one of _WRONG where a document is not what we write."""
    if type(document["epoch"]) is not int:
        raise TypeError("the epoch is a whole number")
    for hosts in document["fleets"].values():
        for ledger in hosts.values():
            ledger_from_json(ledger)


def _bounded(content: bytes) -> bytes:
    if len(content) > LARGEST_BYTES:
        raise ValueError("larger than anything that we write")
    return content


def _lines(content: bytes) -> List[Dict[str, Any]]:
    """The journal's lines; the last one may be torn, then nothing was done yet on its account."""
    lines = []
    for line in _bounded(content).split(b"\n"):
        try:
            lines.append(json.loads(line))
        except ValueError:  # noqa: PERF203 - a torn line ends the journal
            break
    return lines


def _set(document: Dict[str, Any], path: Tuple[str, ...], value: Optional[Any]) -> bool:
    """Set or delete what stands at a path; whether that changed anything."""
    holder = document
    for part in path[:-1]:
        if part not in holder:
            if value is None:
                return False
            holder[part] = {}
        holder = holder[part]
    if holder.get(path[-1]) == value:
        return False
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return True
