"""Tree of files -> `Manifests`: reads what is not cached, checks all of it together, and reports every problem at once.

Called by the controller, by `validate` and by everything that plans. Loading a tree again costs what has changed in
it, and the checks between documents, which are sets and loops over model values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path as Directory
from typing import TypeAlias

from reconciler.apart import Apart
from reconciler.errors import InvalidInput, Place, Problem, Unavailable
from reconciler.manifests.cache import Cache, Key
from reconciler.manifests.checks import CHECKS
from reconciler.manifests.findings import Finding
from reconciler.manifests.index import Index, Labelled, kept
from reconciler.manifests.kinds import KINDS
from reconciler.manifests.parsed import Document, Parsed
from reconciler.manifests.parsing import parse_all, warm_up
from reconciler.manifests.templates import read_template
from reconciler.model.manifests import Manifests
from reconciler.model.metadata import Origin, Path
from reconciler.model.tree import Tree, TreeFile

Meanwhile: TypeAlias = Callable[[Mapping[str, str]], object] | None
"""What can be done while another process parses, given the texts of known templates that known manifests render."""

_PARSER = "reconciler.manifests.documents"
"""What parses manifests; its models take longer to load than a hundred manifests to read."""
MANIFESTS = "manifests/"
TEMPLATES = "templates/"
SUFFIXES = (".yaml", ".yml")
MAX_PROBLEMS = 100
"""Of one file that are told one by one."""


MANY = 2
"""Files of a sort from which on it pays to read them in a process of their own, also where all is loaded."""
FEW = 10
"""Files that a process which has read others parses sooner than it finds them among all those on disk."""


class InvalidManifests(InvalidInput):
    """Manifests with problems, and what could be read all the same, so that more can be checked; None: too little."""

    def __init__(self, problems: Problem | Iterable[Problem], readable: Manifests | None) -> None:
        super().__init__(problems)
        self.readable = readable


class Loader:
    """Reads trees of manifests; keeps what it has parsed, by path and blob hash.

    Args:
        cache: where it is kept from one process to the next.
        parser: a process that parses, which was begun before.
    """

    def __init__(
        self, cache: Directory | None = None, parser: Apart[Mapping[Key, bytes], dict[Key, Parsed]] | None = None
    ) -> None:
        self._cache = Cache(cache) if cache else None
        self._parsed: dict[Key, Parsed] = {}
        self._loaded: tuple[Collection[Key], Manifests] | None = None
        self._labelled: Labelled | None = None
        self._parser = parser or Apart(warm_up, parse_all)

    def get_ready(self) -> None:
        """Begin to load what parses, in a process beside this one, where nothing is cached; `close` ends it unused.

        To be called before it is known what the tree holds.
        """
        if self._loaded is None and (self._cache is None or self._cache.empty):
            self._parser.get_ready()

    def close(self) -> None:
        """Let go of what was got ready."""
        self._parser.close()

    def load(self, tree: Tree, meanwhile: Meanwhile = None) -> Manifests:
        """All manifests and templates of a tree; the same object while nothing changes.

        Args:
            tree: where they are.
            meanwhile: done where another process parses; see `Meanwhile`.

        Raises:
            InvalidManifests: with every problem found, each at its line and column.
        """
        files = {(path, file.blob): file for path, file in tree.files.items() if is_manifest(path) or is_template(path)}
        if self._loaded is None or self._loaded[0] != files.keys():
            self._read_all(files, meanwhile)
            self._loaded = files.keys(), self._joined(tree)
        return self._loaded[1]

    def _joined(self, tree: Tree) -> Manifests:
        index = Index(self._parsed.values(), self._labelled)
        problems = [problem for file in self._parsed.values() for problem in file.problems]
        problems.extend(index.template_problems())
        problems.extend(_check(tree, index, empty=not any(map(is_manifest, tree.files))))
        problems = list(_first(problems))
        templates = dict(sorted(index.templates.items()))
        self._labelled = Labelled(index.hosts, index.labels)
        if index.fleet is None:
            raise InvalidManifests(problems, None)
        hosts, groups, apps = index.hosts, index.groups, index.apps
        if self._loaded:
            before = self._loaded[1]
            groups, apps = kept(before.groups, groups), kept(before.apps, apps)
        manifests = Manifests(
            fleet=index.fleet,
            hosts=hosts,
            groups=groups,
            apps=apps,
            templates=templates,
            **{KINDS[kind]: index.named(kind) for kind in ("Job", "Schedule", "Freeze", "Alert", "Channel", "Silence")},
        )
        if problems:
            raise InvalidManifests(problems, manifests)
        return manifests

    def locate(self, tree: Tree, origin: Origin, path: Path) -> Place:
        """Line and column of a place in a document; of the nearest part that is written where it is not."""
        return _place(tree, origin, Finding(path, ""))

    def _read_all(self, files: Mapping[Key, TreeFile], meanwhile: Meanwhile) -> None:
        """Bring `_parsed` to exactly these files: from memory, else from disk, else by parsing."""
        missing = [key for key in files if key not in self._parsed]
        cache = self._cache if len(missing) > FEW or not self._parsed else None
        read = cache.read(missing) if cache and missing else {}
        known = {key: parsed for key in files if (parsed := self._parsed.get(key) or read.get(key))}
        fresh = self._parse([file for key, file in files.items() if key not in known], known, meanwhile)
        self._parsed = {key: known.get(key) or fresh[key] for key in files}
        sound = {key: parsed for key, parsed in fresh.items() if parsed.sound}
        if cache and sound:
            cache.write(sound, files)

    def _parse(self, files: Iterable[TreeFile], known: Mapping[Key, Parsed], meanwhile: Meanwhile) -> dict[Key, Parsed]:
        """All these files; manifests in a process of their own, where it need not be waited for idly."""
        texts = {(file.path, file.blob): file.read() for file in files}
        manifests = {key: text for key, text in texts.items() if not is_template(key[0])}
        templates = {key: text for key, text in texts.items() if is_template(key[0])}
        many = min(len(manifests), len(templates)) >= MANY
        unprepared = _PARSER not in sys.modules and (templates or meanwhile)
        apart = bool(manifests) and (self._parser.ready or many or unprepared)
        found = self._parser.begin(manifests) if apart else lambda: parse_all(manifests)
        read = {key: read_template(key[0].removeprefix(TEMPLATES), text) for key, text in templates.items()}
        if apart and meanwhile:
            meanwhile(_rendered(known.values()))
        return {**read, **found()}


def _rendered(files: Collection[Parsed]) -> dict[str, str]:
    """Name -> text of the templates that manifests among these files render; of others only a part may be used."""
    claims = [claim for file in files for document in file.documents for claim in document.claims.templates]
    names = {name for path, name in claims if path[-1] == "template"}
    templates = [file.template for file in files if file.template]
    return {template.name: template.text for template in templates if template.name in names}


def _first(problems: Iterable[Problem]) -> Iterator[Problem]:
    """As many problems of each file as a person reads, and how many more there are."""
    files: dict[str, list[Problem]] = {}
    for problem in sorted(set(problems)):
        files.setdefault(problem.place.file, []).append(problem)
    for found in files.values():
        yield from found[:MAX_PROBLEMS]
        if more := found[MAX_PROBLEMS:]:
            yield Problem(more[0].place, f"and {len(more):,} more problems in this file", code="more-problems")


def is_manifest(path: str) -> bool:
    """Whether a file of the repository is read as manifests: YAML below manifests/, in no hidden folder."""
    return path.startswith(MANIFESTS) and path.endswith(SUFFIXES) and not _hidden(path)


def is_template(path: str) -> bool:
    """Whether a file of the repository is a template."""
    return path.startswith(TEMPLATES) and not _hidden(path)


def _hidden(path: str) -> bool:
    return "/." in path


def _check(tree: Tree, index: Index, *, empty: bool) -> Iterator[Problem]:
    if empty:
        yield Problem(Place(MANIFESTS), "holds no manifest", "Start with reconcile init", "no-manifests")
        return
    for check in CHECKS:
        for document, finding in check(index):
            yield _problem(tree, document, finding)


def _problem(tree: Tree, document: Document | None, finding: Finding) -> Problem:
    from reconciler.manifests.places import problem  # noqa: PLC0415 - only where something is wrong

    if document is None:
        return Problem(Place(MANIFESTS), finding.message, finding.hint, finding.code)
    origin: Origin = document.value.metadata.origin
    return problem(tree.files[origin.file].read(), origin, finding)


def _place(tree: Tree, origin: Origin, finding: Finding) -> Place:
    from reconciler.manifests.places import place  # noqa: PLC0415 - only where something is wrong

    with suppress(KeyError, Unavailable):  # it is another tree's, or has changed since
        return place(tree.files[origin.file].read(), origin, finding)
    return Place(origin.file)
