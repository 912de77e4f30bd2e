"""The embedded server with real processes: shared, restarted, never left behind and never in anyone's way."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import InvalidInput, Unavailable
from reconciler.store import FleetState, Store, open_temporary, opening
from reconciler.store.embedded import Embedded
from reconciler.store.link import FOREIGN
from tests.waiting import until

STATE = FleetState("1a2b3c4")

USER = """
import sys
from pathlib import Path
from reconciler.clock import SystemClock
from reconciler.store import Store, opening
with Store(opening.embedded(Path(sys.argv[1]), Path(sys.argv[2]), SystemClock())) as store:
    for number in range(int(sys.argv[3])):
        store.journal.append("wrote", by=sys.argv[4])
    print("wrote", flush=True)
    sys.stdin.read()
"""

CROWD = """
import os, sys
from pathlib import Path
from reconciler.clock import SystemClock
from reconciler.store import Store, opening
children = []
for number in range(12):
    child = os.fork()
    if not child:
        with Store(opening.embedded(Path(sys.argv[1]), Path(sys.argv[2]), SystemClock())) as store:
            for _ in range(20):
                store.journal.append("wrote", by=f"user-{number}")
        os._exit(0)
    children.append(child)
print([os.waitpid(child, 0)[1] for child in children])
"""


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A short path: a socket's has about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="rc-") as directory:
        yield Path(directory) / "run"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


def opened(directory: Path, runtime: Path) -> Store:
    return Store(opening.embedded(directory, runtime, SystemClock()))


def user(directory: Path, runtime: Path, writes: int = 1, name: str = "web-1") -> subprocess.Popen[str]:
    """Another process that uses the store until its standard input is closed."""
    command = [sys.executable, "-c", USER, str(directory), str(runtime), str(writes), name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def server_pid(directory: Path) -> int:
    return int((directory / "server.pid").read_text())


def alive(pid: int) -> bool:
    """Running, and not just a process whose end nobody has noticed yet."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_server(directory: Path) -> None:
    pid = server_pid(directory)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(pid), "the server's end")


def is_in_file(store: Store) -> bool:
    """Whether a killed server would lose nothing: while a slow disk syncs, writes wait in its memory."""
    (info,) = store._opened.link.send_all([("INFO", "persistence")])
    return b"aof_buffer_length:0\r" in info


def test_what_was_written_is_there_after_the_server_ended(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        store.journal.append("wrote", by="web-1")
        pid = server_pid(directory)
    assert not alive(pid)
    with opened(directory, runtime) as store:
        assert len(store.journal.recent()) == 1


def test_it_is_reached_by_its_user_alone_and_not_over_the_network(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        (port,) = store._opened.link.send_all([("CONFIG", "GET", "port")])
        (listening,) = runtime.iterdir()
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (directory, runtime, listening)]
    assert port == [b"port", b"0"]
    assert modes == [0o700, 0o700, 0o700]


def test_terms_survive_a_restart(directory: Path, runtime: Path) -> None:
    terms = []
    for _ in range(2):
        with opened(directory, runtime) as store:
            lease = store.leases.acquire("control", "ops-1", 30, take_over=True)
            assert lease
            terms.append(lease.term)
    assert terms[0] < terms[1]


def test_two_users_share_one_server_and_neithers_end_harms_the_other(directory: Path, runtime: Path) -> None:
    with user(directory, runtime) as watch:
        assert watch.stdout and watch.stdout.readline() == "wrote\n"  # noqa: PT018
        pid = server_pid(directory)
        with opened(directory, runtime) as store:
            assert server_pid(directory) == pid
            store.journal.append("wrote", by="cli")
        assert alive(pid)
        with opened(directory, runtime) as store:
            watch.communicate()
            assert alive(pid)
            assert len(store.journal.recent()) == 2
    until(lambda: not alive(pid), "the server's end")


def test_a_killed_user_does_not_take_the_server_with_it(directory: Path, runtime: Path) -> None:
    with user(directory, runtime) as killed:
        assert killed.stdout
        killed.stdout.readline()
        pid = server_pid(directory)
        os.kill(killed.pid, signal.SIGKILL)
    assert alive(pid)
    with opened(directory, runtime) as store:
        assert server_pid(directory) == pid
        assert len(store.journal.recent()) == 1
    assert not alive(pid)


def test_twelve_processes_that_join_at_once_share_one_server_and_lose_no_write(directory: Path, runtime: Path) -> None:
    crowd = [sys.executable, "-c", CROWD, str(directory), str(runtime)]
    assert subprocess.check_output(crowd, text=True).strip() == str([0] * 12)
    with opened(directory, runtime) as store:
        assert len(store.journal.recent(limit=1000)) == 240


def test_a_killed_server_is_started_again_by_the_next_command(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        store.fleet.set_current(STATE)
        until(lambda: is_in_file(store), "the write to the file")
        kill_server(directory)
        assert store.fleet.current() == STATE
        kill_server(directory)
        with opened(directory, runtime) as other:
            assert other.fleet.current() == STATE
        assert store.fleet.current() == STATE


def test_a_server_that_is_killed_under_a_wait_is_told_as_ours_and_nobody_is_sent_to_a_url(
    directory: Path, runtime: Path
) -> None:
    with opened(directory, runtime) as store:
        kill_server(directory)
        with pytest.raises(Unavailable, match="The embedded server has ended; the next try starts it again"):
            store.fleet.wait_request(1.0)
        assert store.fleet.current() is None


def test_a_damaged_file_is_moved_aside_and_told(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        store.journal.append("wrote")
    (written,) = (directory / "appendonlydir").glob("*.incr.aof")
    written.write_bytes(b"*3\r\n$3\r\nSET\r\nnonsense" + written.read_bytes())
    with opened(directory, runtime) as store:
        (problem,) = store.problems
        assert problem.code == "store-damaged"
        assert store.journal.recent() == []
    assert (directory / "appendonlydir.damaged-1").is_dir()


def test_a_file_cut_off_by_a_crash_is_read_up_to_there(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        store.journal.append("wrote")
    (written,) = (directory / "appendonlydir").glob("*.incr.aof")
    with written.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n")
    with opened(directory, runtime) as store:
        assert not store.problems
        assert len(store.journal.recent()) == 1


def test_a_stale_socket_is_no_obstacle(directory: Path, runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(Embedded(directory, runtime, SystemClock()).socket))
    with opened(directory, runtime) as store:
        store.check()


def test_a_server_whose_socket_vanished_is_replaced_and_keeps_its_data(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime) as store:
        store.fleet.set_current(STATE)
        pid = server_pid(directory)
        (listening,) = runtime.iterdir()
        listening.unlink()
        with opened(directory, runtime) as other:
            assert other.fleet.current() == STATE
            assert server_pid(directory) != pid
            assert not alive(pid)
        assert store.fleet.current() == STATE


def test_users_with_different_runtime_directories_share_the_server(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime / "one") as first:
        first.fleet.set_current(STATE)
        pid = server_pid(directory)
        with opened(directory, runtime / "two") as second:
            assert second.fleet.current() == STATE
        assert server_pid(directory) == pid


def test_a_runtime_directory_with_a_long_path_is_no_obstacle(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime / ("long" * 30)) as store:
        store.check()


def test_a_server_that_cannot_start_is_told_with_the_last_line_of_its_log(directory: Path, runtime: Path) -> None:
    with opened(directory, runtime):
        pass
    (directory / "appendonlydir").rename(directory / "aside")
    (directory / "appendonlydir").write_text("not a directory")
    with pytest.raises(Unavailable, match=r"it does not start\. Its log says: .*appendonlydir"):
        opened(directory, runtime)


def test_a_directory_that_cannot_be_ours_is_told(tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"cannot use .*set RECONCILER_REDIS_URL"):
        opened(tmp_path / "file" / "store", runtime)
    runtime.symlink_to(tmp_path)
    with pytest.raises(InvalidInput, match="it is not a directory"):
        opened(tmp_path / "store", runtime)


def test_a_temporary_store_leaves_nothing_behind(runtime: Path) -> None:
    with open_temporary(runtime) as store:
        store.fleet.set_current(STATE)
        assert store.fleet.current() == STATE
        directory = store._opened._closing  # type: ignore[attr-defined]
        assert directory
    assert list(runtime.iterdir()) == []


TEMPORARY = """
import os, signal, sys
from pathlib import Path
from reconciler.store import open_temporary
with open_temporary(Path(sys.argv[1])) as store:
    directory = store._opened.link.send_all([("CONFIG", "GET", "dir")])[0][1].decode()
    print(directory, Path(directory, "server.pid").read_text(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_temporary_store_whose_user_was_killed_is_swept(runtime: Path) -> None:
    user = subprocess.run([sys.executable, "-c", TEMPORARY, str(runtime)], capture_output=True, text=True, check=False)
    directory, pid = user.stdout.split()
    assert user.returncode == -signal.SIGKILL
    until(lambda: not alive(int(pid)), "the server's end")
    until(lambda: not Path(directory).exists() and not list(runtime.iterdir()), "the sweep")


def victim_of(tmp_path: Path) -> Path:
    """A file that is not ours to touch, in a directory that others may enter."""
    victim = tmp_path / "victim"
    victim.mkdir(mode=0o755)
    victim.chmod(0o755)
    (victim / "file").write_text("precious")
    return victim


def test_a_record_of_someone_else_unlinks_and_enters_nothing(directory: Path, runtime: Path, tmp_path: Path) -> None:
    victim = victim_of(tmp_path)
    directory.mkdir(mode=0o700)
    named = Embedded(directory, runtime, SystemClock()).socket.name
    (victim / named).write_text("precious")
    for path in (victim / "file", victim / named):
        (directory / "server.socket").write_text(str(path))
        with opened(directory, runtime) as store:
            store.check()
        assert path.read_text() == "precious"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o755


@pytest.mark.parametrize("name", ["server.socket", "server.lock", "server.log", "users.lock"])
def test_a_link_among_the_servers_files_is_not_followed(
    directory: Path, runtime: Path, tmp_path: Path, name: str
) -> None:
    victim = victim_of(tmp_path)
    directory.mkdir(mode=0o700)
    (directory / name).symlink_to(victim / "file")
    with pytest.raises(InvalidInput, match=f"cannot use .*{name}"):
        opened(directory, runtime)
    assert (victim / "file").read_text() == "precious"


def test_a_directory_that_is_a_link_or_that_others_write_into_is_refused_and_left_as_it_is(
    directory: Path, runtime: Path, tmp_path: Path
) -> None:
    victim = victim_of(tmp_path)
    directory.symlink_to(victim)
    with pytest.raises(InvalidInput, match="it is not a directory"):
        opened(directory, runtime)
    assert (stat.S_IMODE(victim.stat().st_mode), list(victim.iterdir())) == (0o755, [victim / "file"])
    directory.unlink()
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.raises(InvalidInput, match="others may write into it"):
        opened(directory, runtime)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o777


def test_what_speaks_to_it_loads_no_client_for_all_that_a_url_can_name(tmp_path: Path, runtime: Path) -> None:
    script = USER.replace("sys.stdin.read()", "print('redis' in sys.modules)")
    argv = [sys.executable, "-c", script, str(tmp_path / "store"), str(runtime), "1", "user"]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["wrote", "False"]


def test_what_it_refuses_is_told_as_of_any_server(tmp_path: Path, runtime: Path) -> None:
    server = opening.embedded(tmp_path / "store", runtime, SystemClock())
    try:
        server.link.send("SET", "text", "words")
        assert server.link.look([("GET", "text"), ("HGETALL", "text")]) == [b"words", FOREIGN]
        with pytest.raises(InvalidInput, match="text holds something else than this program writes"):
            server.link.send("HGETALL", "text")
        with pytest.raises(Unavailable, match="wrong number of arguments"):
            server.link.send("GET")
        server.link.send("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(Unavailable, match="the memory limit is reached"):
            server.link.send("SET", "more", "words")
    finally:
        server.close()
