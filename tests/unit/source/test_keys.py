"""The signing key is made once, privately, whoever asks first."""

import contextlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.source.keys import key_file, load_key, load_or_create_key


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / ".reconciler"


def test_a_look_for_the_key_makes_none(state_dir: Path) -> None:
    assert load_key(state_dir) is None
    assert not state_dir.exists()


def test_the_key_is_made_once_and_kept(state_dir: Path) -> None:
    seed = load_or_create_key(state_dir, lambda size: b"x" * size)
    assert seed == b"x" * 32
    assert load_or_create_key(state_dir) == load_key(state_dir) == seed


def test_only_its_owner_can_reach_the_key(state_dir: Path) -> None:
    load_or_create_key(state_dir)
    path = key_file(state_dir)
    modes = [entry.stat().st_mode & 0o777 for entry in (path, path.parent, state_dir)]
    assert modes == [0o600, 0o700, 0o700]


def test_the_key_is_private_even_where_files_are_not_by_default(state_dir: Path) -> None:
    before = os.umask(0)
    try:
        load_or_create_key(state_dir)
    finally:
        os.umask(before)
    assert key_file(state_dir).stat().st_mode & 0o777 == 0o600


def test_git_ignores_the_whole_state_directory(state_dir: Path) -> None:
    load_or_create_key(state_dir)
    assert (state_dir / ".gitignore").read_text() == "*\n"


def test_what_a_crash_left_half_written_does_not_matter(state_dir: Path) -> None:
    (state_dir / "keys").mkdir(parents=True, mode=0o700)
    (state_dir / "keys" / "controller.new").write_text("ab")
    assert len(load_or_create_key(state_dir)) == 32
    assert list((state_dir / "keys").iterdir()) == [key_file(state_dir)]


def test_of_two_that_find_no_key_only_one_makes_it(state_dir: Path) -> None:
    both_make_one = threading.Barrier(2)
    made: list[bytes] = []

    def entropy(size: int) -> bytes:
        with contextlib.suppress(threading.BrokenBarrierError):
            both_make_one.wait(0.3)
        made.append(bytes([len(made)]) * size)
        return made[-1]

    with ThreadPoolExecutor(2) as pool:
        seeds = list(pool.map(lambda _: load_or_create_key(state_dir, entropy), range(2)))
    assert seeds == [*made, *made]


def test_processes_that_start_together_get_the_same_key(state_dir: Path) -> None:
    script = (
        "import sys, pathlib; from reconciler.source.keys import load_or_create_key;"
        "sys.stdin.read(); print(load_or_create_key(pathlib.Path(sys.argv[1])).hex())"
    )
    argv = [sys.executable, "-c", script, str(state_dir)]
    started = [subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        seeds = set(pool.map(lambda process: process.communicate()[0], started))
    assert seeds == {key_file(state_dir).read_bytes()}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_touch_is_refused_with_the_remedy(state_dir: Path, mode: int) -> None:
    load_or_create_key(state_dir)
    path = key_file(state_dir)
    path.chmod(mode)
    with pytest.raises(InvalidInput, match=f"others can read the key .* Run: chmod 600 {path}"):
        load_or_create_key(state_dir)
    path.chmod(0o600)
    assert load_key(state_dir)


def test_a_folder_in_which_others_could_replace_the_key_is_refused(state_dir: Path) -> None:
    load_or_create_key(state_dir)
    (state_dir / "keys").chmod(0o770)
    with pytest.raises(InvalidInput, match=f"Run: chmod 700 {state_dir / 'keys'}"):
        load_key(state_dir)


@pytest.mark.parametrize("content", ["", "zz" * 32, "ab" * 31, "ab" * 33, "\udcff"])
def test_a_file_that_holds_no_key_is_told_without_showing_it(state_dir: Path, content: str) -> None:
    load_or_create_key(state_dir)
    path = key_file(state_dir)
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(InvalidInput, match=f"{path} holds no key") as error:
        load_key(state_dir)
    assert not content or content not in str(error.value)


def test_a_key_behind_a_symbolic_link_is_refused(state_dir: Path) -> None:
    load_or_create_key(state_dir)
    path = key_file(state_dir)
    path.rename(path.with_suffix(".real"))
    path.symlink_to(path.with_suffix(".real"))
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_key(state_dir)


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be read: Not a directory"):
        load_or_create_key(tmp_path / "file")
