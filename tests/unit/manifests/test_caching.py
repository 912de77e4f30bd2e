"""What is parsed once is not parsed again: in memory by blob, on disk by blob and code."""

import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

from reconciler.manifests import Loader
from reconciler.model.tree import Tree, TreeFile
from tests.unit.manifests.trees import FLEET, ROOT, app, example, fleet, host, problems, tree

READS: Counter[str] = Counter()
TEMPLATES = {"templates/x.j2": "x\n", "templates/y.j2": "y\n"}


def counted(tree: Tree) -> Tree:
    """The same tree, counting how often each file is read."""
    READS.clear()
    return Tree(tree.revision, {path: _counted(file) for path, file in tree.files.items()})


def _counted(file: TreeFile) -> TreeFile:
    def read() -> bytes:
        READS[file.path] += 1
        return file.read()

    return TreeFile(file.path, file.blob, read)


def test_a_file_is_read_once_until_it_changes() -> None:
    loader = Loader()
    loader.load(fleet(a=host("a"), b=host("b")))

    loader.load(counted(fleet(a=host("a"), b=host("b", "role: db"))))

    assert READS == {"manifests/b.yaml": 1}


def test_while_another_process_parses_something_else_is_done_and_only_then() -> None:
    loader, done = Loader(), list[str]()
    files = tree({"manifests/a.yaml": FLEET + "---\n" + host("a"), "manifests/b.yaml": host("b"), **TEMPLATES})

    found = loader.load(files, meanwhile=lambda _: done.append("loaded"))
    loader.load(files, meanwhile=lambda _: done.append("again"))

    assert (sorted(found.hosts), sorted(found.templates), done) == (["a", "b"], ["x.j2", "y.j2"], ["loaded"])


READY = """
import os, sys; from pathlib import Path; from reconciler.manifests import Loader
from tests.unit.manifests.trees import fleet, host
loader = Loader(Path(sys.argv[1]))
loader.get_ready()
print(*loader.load(fleet(a=host("a"))).hosts, "pydantic" in sys.modules)
loader.get_ready()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no child")
"""


def _of_a_ready_loader(cache: Path) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", READY, str(cache)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout.splitlines()


def test_where_nothing_is_cached_another_process_is_ready_to_parse_and_is_asked_once(tmp_path: Path) -> None:
    assert _of_a_ready_loader(tmp_path) == ["a web-1 False", "no child"]


def test_where_something_is_cached_nobody_gets_ready(tmp_path: Path) -> None:
    Loader(tmp_path).load(fleet(b=host("b")))

    assert _of_a_ready_loader(tmp_path) == ["a web-1 True", "no child"]


def test_a_new_process_has_another_one_parse_even_one_file_and_is_told_what_will_be_rendered_meanwhile(
    tmp_path: Path,
) -> None:
    script = (
        "import sys; from pathlib import Path; from reconciler.manifests import Loader\n"
        "from tests.unit.manifests.test_caching import rendering\n"
        "print(*Loader(Path(sys.argv[1])).load(rendering('b'), meanwhile=print).hosts, 'pydantic' in sys.modules)\n"
    )
    Loader(tmp_path).load(rendering("a"))

    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines() == ["{'x.j2': 'x\\n'}", "b web-1 False"]


def rendering(name: str) -> Tree:
    """A fleet whose app renders one of two templates, with another host of that name."""
    resources = "  resources:\n    - file: {path: /x, template: x.j2}\n    - file: {path: /y, source: y.j2}\n"
    files = fleet(a=app(f'  hosts: "*"\n{resources}'), b=host(name)).files
    return Tree(tree({}).revision, {**files, **tree(TEMPLATES).files})


def test_an_unchanged_tree_gives_the_same_manifests_again() -> None:
    loader = Loader()

    assert loader.load(fleet()) is loader.load(fleet())


def test_what_another_process_parsed_is_read_from_disk(tmp_path: Path) -> None:
    first = Loader(tmp_path).load(example())

    second = Loader(tmp_path).load(counted(example()))

    assert second == first
    assert READS == {}


def test_a_cached_fleet_needs_neither_pydantic_nor_a_parser(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from reconciler.manifests import Loader\n"
        "from tests.unit.manifests.trees import fleet, host\n"
        "Loader(Path(sys.argv[1])).load(fleet(a=host('a')))\n"
        "print(sorted({'pydantic', 'ruamel', 'jinja2'} & set(sys.modules)))\n"
    )
    Loader(tmp_path).load(fleet(a=host("a")))

    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"


def test_a_problem_is_told_again_by_every_process(tmp_path: Path) -> None:
    broken = fleet(a=app("  hosts: role=web\n"))
    expected = problems(broken)

    assert [_problems(Loader(tmp_path), broken) for _ in range(2)] == [expected, expected]


def test_the_cache_is_closed_to_others(tmp_path: Path) -> None:
    Loader(tmp_path / "new").load(example())

    folder = tmp_path / "new" / "manifests"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_cache_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    Loader(tmp_path).load(example())
    (tmp_path / "manifests").chmod(0o777)

    Loader(tmp_path).load(counted(example()))

    assert READS["manifests/fleet.yaml"] == 1


def test_a_damaged_cache_counts_as_empty(tmp_path: Path) -> None:
    Loader(tmp_path).load(example())
    for shard in (tmp_path / "manifests").iterdir():
        shard.write_bytes(shard.read_bytes()[:20])

    assert Loader(tmp_path).load(counted(example())) == Loader().load(example())
    assert READS["manifests/fleet.yaml"] == 1


def test_a_planted_pickle_runs_nothing(tmp_path: Path) -> None:
    Loader(tmp_path).load(fleet())
    mark = tmp_path / "mark"
    for shard in (tmp_path / "manifests").iterdir():
        shard.write_bytes(pickle.dumps(_Planted(mark)))

    assert list(Loader(tmp_path).load(fleet()).hosts) == ["web-1"]
    assert not mark.exists()


def test_a_full_or_forbidden_disk_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert list(Loader(tmp_path / "file").load(fleet()).hosts) == ["web-1"]


def test_a_branch_with_other_files_does_not_push_the_first_out(tmp_path: Path) -> None:
    Loader(tmp_path).load(fleet(a=host("a")))
    Loader(tmp_path).load(fleet(a=host("a", "role: db")))

    Loader(tmp_path).load(counted(fleet(a=host("a"))))

    assert READS == {}


class _Planted:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.mark),)


def _problems(loader: Loader, tree: Tree) -> list[str]:
    from reconciler.errors import InvalidInput

    try:
        loader.load(tree)
    except InvalidInput as error:
        return [str(problem) for problem in error.problems]
    return []
