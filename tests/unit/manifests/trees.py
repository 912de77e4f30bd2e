"""Small trees of manifests, and what loading them says."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import InvalidInput
from reconciler.manifests import Loader
from reconciler.model.manifests import Manifests
from reconciler.model.tree import Revision, Tree, TreeFile

ROOT = Path(__file__).parents[3]

FLEET = "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: test}\nspec: {}\n"
HOST = """\
apiVersion: reconciler/v1
kind: Host
metadata: {name: web-1, labels: {role: web, env: prod}}
spec: {address: 10.0.0.1}
"""


def app(spec: str, name: str = "webapp") -> str:
    """An App whose spec starts in line 5."""
    return f"apiVersion: reconciler/v1\nkind: App\nmetadata: {{name: {name}}}\nspec:\n{spec}"


def host(name: str, labels: str = "role: web", spec: str = "") -> str:
    """A Host; what `spec` adds starts in line 6."""
    head = f"apiVersion: reconciler/v1\nkind: Host\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
    return f"{head}spec:\n  address: 10.0.0.1\n{spec}"


def group(name: str, spec: str) -> str:
    """A Group whose spec starts in line 5."""
    return f"apiVersion: reconciler/v1\nkind: Group\nmetadata: {{name: {name}}}\nspec:\n{spec}"


def tree(files: Mapping[str, str | bytes]) -> Tree:
    """A tree of these files, with their git blob hashes."""
    return Tree(Revision(""), {path: _file(path, text) for path, text in files.items()})


def _file(path: str, text: str | bytes) -> TreeFile:
    raw = text.encode() if isinstance(text, str) else text
    return TreeFile(path, hashlib.sha1(b"blob %d\0" % len(raw) + raw).hexdigest(), lambda: raw)


def fleet(**files: str | bytes | None) -> Tree:
    """A fleet with the host web-1 (role=web, env=prod), and further manifests by name; None leaves one out."""
    found = {"fleet": FLEET, "web": HOST, **files}
    return tree({f"manifests/{name}.yaml": text for name, text in found.items() if text is not None})


def with_templates(base: Tree, templates: Mapping[str, str | bytes]) -> Tree:
    """The same tree with files below templates/."""
    more = tree({f"templates/{name}": text for name, text in templates.items()})
    return Tree(base.revision, {**base.files, **more.files})


def example() -> Tree:
    """The example fleet of this repository."""
    folders = [ROOT / "manifests", ROOT / "templates"]
    paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return tree({path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths})


def load(files: Tree) -> Manifests:
    return Loader().load(files)


def problems(files: Tree) -> list[str]:
    """What loading says, one line a problem; empty if all is well."""
    try:
        Loader().load(files)
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]
    return []


def marked(text: str) -> tuple[str, str]:
    """The text without its mark `§`, and the line and column where that stands."""
    start = text.index("§")
    return text.replace("§", ""), f"{text.count(chr(10), 0, start) + 1}:{start - text.rfind(chr(10), 0, start)}"


def cases(table: str) -> list[tuple[str, str]]:
    """Pairs of a line and the indented one below it."""
    lines = table.splitlines()
    return [(case, expected.strip()) for case, expected in zip(lines[::2], lines[1::2], strict=True)]
