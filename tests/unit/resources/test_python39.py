"""The resource library also runs on hosts: Python 3.9, standard library only."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import reconciler.resources

ROOM = Path(reconciler.resources.__file__).parent
MODULES = sorted(ROOM.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_is_python_39_and_imports_only_the_standard_library(module: Path) -> None:
    tree = ast.parse(module.read_text(), feature_version=(3, 9))
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match)
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name != "dataclasses" or module.name == "values.py", "values.py has what works everywhere"
            assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("reconciler.resources."), name


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_uses_nothing_newer_at_runtime(module: Path) -> None:
    tree = ast.parse(module.read_text())
    newer = {"kw_only", "strict"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            assert not newer & {keyword.arg for keyword in node.keywords}, ast.unparse(node)
    assert "from __future__ import annotations" in module.read_text() or len(tree.body) == 1
