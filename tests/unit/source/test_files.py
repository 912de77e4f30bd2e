"""What of a repository belongs to a tree, and what symbolic links may do."""

import subprocess

import pytest

from reconciler.errors import Problem
from reconciler.model.tree import TreeFile
from reconciler.source import files


def listed(*paths: str) -> dict[str, TreeFile]:
    return {path: TreeFile(path, f"blob of {path}", path.encode) for path in paths}


def followed(files_: dict[str, TreeFile], links: dict[str, str]) -> tuple[dict[str, str], list[Problem]]:
    problems: list[Problem] = []
    found = files.follow_links(files_, links, problems)
    assert all(path == file.path for path, file in found.items())
    return {path: file.blob for path, file in found.items()}, problems


@pytest.mark.parametrize(
    "path", ["manifests/a.yaml", "manifests/x/b.yml", "templates/a.j2", "templates/.bashrc", "templates/x/y"]
)
def test_yaml_and_templates_belong(path: str) -> None:
    assert files.belongs(path)


@pytest.mark.parametrize("path", ["manifests/README.md", "manifests/.a.yaml", "manifests/.git/a.yaml", "manifests/a"])
def test_other_and_hidden_files_among_manifests_do_not(path: str) -> None:
    assert not files.belongs(path)


def test_a_blob_hash_is_gits() -> None:
    content = b"kind: Host\n"
    git = subprocess.run(["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True)
    assert files.blob_hash(content) == git.stdout.decode().strip()


def test_a_link_shows_the_file_that_it_leads_to() -> None:
    found, problems = followed(listed("templates/a/x.j2"), {"templates/b/y.j2": "../a/x.j2"})
    assert found["templates/b/y.j2"] == "blob of templates/a/x.j2"
    assert problems == []


def test_a_link_may_lead_to_a_link() -> None:
    found, _ = followed(listed("templates/x"), {"templates/1": "2", "templates/2": "./x"})
    assert sorted(found) == ["templates/1", "templates/2", "templates/x"]


def test_a_link_that_is_no_yaml_shows_nothing_among_manifests() -> None:
    found, problems = followed(listed("manifests/a.yaml"), {"manifests/latest": "a.yaml"})
    assert (list(found), problems) == (["manifests/a.yaml"], [])


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../etc/passwd", "../secrets.yaml", "../templates", "none.yaml", "x/..", "loop.yaml"]
)
def test_a_link_that_leads_elsewhere_is_a_problem(target: str) -> None:
    found, problems = followed(listed("templates/x"), {"manifests/loop.yaml": target})
    assert list(found) == ["templates/x"]
    (problem,) = problems
    assert str(problem).startswith(f"manifests/loop.yaml: is a symbolic link to {target}")
    assert str(problem).endswith(" A link must lead to a file below manifests/ or templates/")


def test_the_size_limit_depends_on_the_folder() -> None:
    assert files.size_problem("manifests/a.yaml", 2 << 20) is None
    problem = files.size_problem("templates/a", (1 << 20) + 1)
    assert str(problem) == "templates/a: has 1048577 bytes; 1048576 are allowed below templates/. Split it"


def test_ten_thousand_small_manifests_and_hundreds_of_templates_are_no_problem() -> None:
    sizes = {f"manifests/{number}.yaml": 3_000 for number in range(10_000)}
    sizes |= {f"templates/{number}.j2": 50_000 for number in range(500)}
    assert list(files.total_problems(sizes)) == []


def test_files_that_are_too_large_together_are_a_problem() -> None:
    sizes = {f"manifests/{number}.yaml": 2 << 20 for number in range(17)}
    (problem,) = files.total_problems(sizes)
    assert (problem.code, str(problem.place)) == ("tree-too-large", "manifests")
    assert problem.message == "has 35651584 bytes in all; 33554432 are allowed below manifests/"


@pytest.mark.parametrize("path", ["templates/a\nb", "templates/\udcff", "templates/\x1b[31m", "templates/../x"])
def test_a_name_that_would_garble_messages_is_a_problem_shown_escaped(path: str) -> None:
    problem = files.name_problem(path)
    assert problem
    assert str(problem).isprintable()
