"""Tree of files -> `Manifests`: reads what is not cached, checks all of it together, and reports every problem at once.

Called by the controller, by `validate` and by everything that plans. Loading a tree again costs what has changed in
it, and the checks between documents, which are sets and loops over model values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as Directory

from reconciler.errors import InvalidInput, Place, Problem
from reconciler.manifests.cache import Cache, Key
from reconciler.manifests.checks import CHECKS
from reconciler.manifests.findings import Finding
from reconciler.manifests.index import Index
from reconciler.manifests.parsed import Document, Parsed
from reconciler.manifests.templates import Template, read_template
from reconciler.model.manifests import Manifests, Origin, Path
from reconciler.model.tree import Tree, TreeFile

MANIFESTS = "manifests/"
TEMPLATES = "templates/"
SUFFIXES = (".yaml", ".yml")


class Loader:
    """Reads trees of manifests; keeps what it has parsed, by path and blob hash."""

    def __init__(self, cache: Directory | None = None) -> None:
        self._cache = Cache(cache) if cache else None
        self._parsed: dict[Key, Parsed] = {}
        self._templates: dict[Key, Template] = {}

    def load(self, tree: Tree) -> Manifests:
        """All manifests and templates of a tree.

        Raises:
            InvalidInput: with every problem found, each at its line and column.
        """
        files = {path: file for path, file in tree.files.items() if is_manifest(path)}
        self._read_all(files)
        self._read_templates(tree)
        parsed = [self._parsed[path, file.blob] for path, file in files.items()]
        index = Index(parsed, *_sorted_out(self._templates.values()))
        problems = [problem for file in parsed for problem in file.problems]
        problems += [problem for template in self._templates.values() for problem in template.problems]
        problems.extend(_check(tree, index, empty=not files))
        if problems or index.fleet is None:
            raise InvalidInput(problems)
        return Manifests(
            index.fleet, index.hosts, index.groups, index.apps, index.jobs, dict(sorted(index.templates.items()))
        )

    def locate(self, tree: Tree, origin: Origin, path: Path) -> Place:
        """Line and column of a place in a document; of the nearest part that is written where it is not."""
        return _place(tree, origin, Finding(path, ""))

    def _read_all(self, files: Mapping[str, TreeFile]) -> None:
        """Bring `_parsed` to exactly these files: from memory, else from disk, else by parsing."""
        keys = [(path, file.blob) for path, file in files.items()]
        missing = [key for key in keys if key not in self._parsed]
        known = self._cache.read(missing) if self._cache and missing else {}
        fresh = {key: _parse(files[key[0]]) for key in missing if key not in known}
        self._parsed = {key: self._parsed.get(key) or known.get(key) or fresh[key] for key in keys}
        sound = {key: parsed for key, parsed in fresh.items() if not parsed.problems}
        if self._cache and sound:
            self._cache.write(sound, keys)

    def _read_templates(self, tree: Tree) -> None:
        files = {path: file for path, file in tree.files.items() if is_template_file(path)}
        self._templates = {
            key: self._templates.get(key) or read_template(path.removeprefix(TEMPLATES), file.read())
            for path, file in files.items()
            for key in [(path, file.blob)]
        }


def is_manifest(path: str) -> bool:
    """Whether a file of the repository is read as manifests: YAML below manifests/, in no hidden folder."""
    return path.startswith(MANIFESTS) and path.endswith(SUFFIXES) and not _hidden(path)


def is_template_file(path: str) -> bool:
    """Whether a file of the repository is a template."""
    return path.startswith(TEMPLATES) and not _hidden(path)


def _hidden(path: str) -> bool:
    return "/." in path


def _parse(file: TreeFile) -> Parsed:
    from reconciler.manifests.documents import parse  # noqa: PLC0415 - pydantic and ruamel load only if needed

    return parse(file.path, file.read())


def _sorted_out(templates: Iterable[Template]) -> tuple[dict[str, str], dict[str, str]]:
    """Texts, and reasons why other files are no templates, by name."""
    texts: dict[str, str] = {}
    unusable: dict[str, str] = {}
    for template in templates:
        if template.unusable:
            unusable[template.name] = template.unusable
        else:
            texts[template.name] = template.text
    return texts, unusable


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

    file = tree.files.get(origin.file)
    return place(file.read(), origin, finding) if file else Place(origin.file)
