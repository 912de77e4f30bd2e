"""A real root: nothing leads out of it, a file is old or new, programs end."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.resources.failure import Failure, as_failure
from reconciler.resources.machine import processes
from reconciler.resources.machine.posix import PosixSystem, temporary_name
from reconciler.resources.machine.system import Access, Claim, Command
from tests.fakes.requests import request, run, wanted
from tests.waiting import until

MINE = Access(os.geteuid(), os.getegid(), 0o644)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="giving files to others needs root")


@pytest.fixture
def system(tmp_path: Path) -> PosixSystem:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    return PosixSystem(str(root), clock=SystemClock())


@pytest.fixture
def root(system: PosixSystem) -> Path:
    return Path(system.root)


def test_a_written_file_has_its_content_and_mode_and_leaves_no_temporary(system: PosixSystem, root: Path) -> None:
    system.write_atomic("/etc/a", b"text", Access(MINE.uid, MINE.gid, 0o640))
    assert (root / "etc/a").read_bytes() == b"text"
    assert stat.S_IMODE((root / "etc/a").stat().st_mode) == 0o640
    assert system.listdir("/etc") == ["a"]


def test_a_link_that_leads_out_of_the_sandbox_is_read_as_if_the_sandbox_were_the_root(
    system: PosixSystem, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "absolute").symlink_to(outside)
    (root / "upward").symlink_to("../../../../../../../../.." + str(outside))
    (root / "etc/up").symlink_to("../../etc")
    for name in ("absolute", "upward"):
        with pytest.raises(FileNotFoundError):
            system.write_atomic(f"/{name}/file", b"x", MINE)
    assert list(outside.iterdir()) == []
    system.write_atomic("/etc/up/file", b"x", MINE)
    assert (root / "etc/file").read_bytes() == b"x"


@as_root
def test_a_link_on_the_way_that_someone_else_made_is_refused(system: PosixSystem, root: Path) -> None:
    (root / "etc/way").symlink_to("/etc")
    os.chown(root / "etc/way", 12345, 12345, follow_symlinks=False)
    with pytest.raises(Failure) as refused:
        system.write_atomic("/etc/way/file", b"x", MINE)
    assert refused.value.code == "untrusted-link"


def test_a_file_at_the_end_of_a_path_is_never_read_through_a_link(system: PosixSystem, root: Path) -> None:
    (root / "etc/link").symlink_to("target")
    (root / "etc/target").write_text("x")
    assert system.read("/etc/link") is None
    entry = system.look("/etc/link")
    assert entry is not None
    assert (entry.kind, entry.target) == ("link", "target")
    system.write_atomic("/etc/link", b"a file now", MINE)
    assert (root / "etc/target").read_text() == "x"


def test_an_error_names_the_whole_path(system: PosixSystem, root: Path) -> None:
    (root / "etc/dir").mkdir()
    (root / "etc/dir/full").touch()
    with pytest.raises(OSError, match="Directory not empty") as error:
        system.remove("/etc/dir")
    assert as_failure(error.value).message == "Directory not empty: /etc/dir"


def test_a_link_loop_ends(system: PosixSystem, root: Path) -> None:
    (root / "loop").symlink_to("loop")
    with pytest.raises(Failure, match="more than 40 links"):
        system.look("/loop/file")


def test_a_fifo_does_not_stop_a_look(system: PosixSystem, root: Path) -> None:
    os.mkfifo(root / "etc/fifo")
    assert system.read("/etc/fifo") is None


def test_validate_sees_the_new_text_and_keeps_the_old_file_when_it_refuses(system: PosixSystem, root: Path) -> None:
    system.write_atomic("/etc/a", b"good", MINE, ("grep", "-q", "good", "%s"))
    with pytest.raises(Failure) as refused:
        system.write_atomic("/etc/a", b"bad", MINE, ("sh", "-c", 'grep good "$0" || { echo $0 is bad; exit 1; }', "%s"))
    assert refused.value.text() == "sh refuses the new /etc/a: exit code 1: /etc/a is bad"
    assert (root / "etc/a").read_bytes() == b"good"
    assert system.listdir("/etc") == ["a"]


def test_what_a_killed_write_left_is_swept(system: PosixSystem, root: Path) -> None:
    (root / "etc" / temporary_name("a")).write_text("torn")
    (root / "etc" / temporary_name("d")).mkdir()
    system.sweep("/etc/a")
    system.sweep("/etc/d")
    system.sweep("/nowhere/a")
    assert system.listdir("/etc") == []


def test_a_sandbox_knows_nobody_but_its_owner(system: PosixSystem) -> None:
    assert system.uid("root") == os.geteuid()
    assert system.user_name(os.geteuid()) == "root"
    with pytest.raises(Failure, match="a sandbox has no www-data"):
        system.uid("www-data")


def test_output_is_bounded_to_its_last_part(system: PosixSystem) -> None:
    program = "import sys; sys.stdout.write('a' * 200_000 + 'end'); sys.stderr.write('b' * 200_000)"
    done = system.run(Command((sys.executable, "-c", program)))
    assert (len(done.stdout), done.stdout[-3:], len(done.stderr)) == (65536, "end", 65536)


@pytest.mark.parametrize("locked", [False, True])
def test_a_program_gets_its_input_environment_and_directory_and_nothing_of_ours(
    system: PosixSystem, root: Path, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    monkeypatch.setenv("RECONCILER_SECRET_X", "hidden")
    command = Command(("sh", "-c", "cat; echo; echo $A; pwd; env"), env={"A": "b c"}, stdin=b"input", cwd="/etc")
    if locked:
        with system.exclusive(Claim(0, 0, "test")):
            done = system.run(command)
    else:
        done = system.run(command)
    assert done.stdout.splitlines()[:3] == ["input", "b c", str(root / "etc")]
    assert "hidden" not in done.stdout


def test_a_program_that_takes_too_long_is_ended_with_its_children(system: PosixSystem, root: Path) -> None:
    done = system.run(Command(("sh", "-c", "sleep 1000 & echo $! >child; wait"), timeout_seconds=0.3))
    assert done.timed_out
    assert not done.ok
    child = int((root / "child").read_text())
    until(lambda: not Path(f"/proc/{child}").exists() or b") Z" in Path(f"/proc/{child}/stat").read_bytes(), "its end")


def test_a_service_that_keeps_the_pipe_open_does_not_hold_us(system: PosixSystem) -> None:
    done = system.run(Command(("sh", "-c", "setsid sleep 5 & echo started"), timeout_seconds=60))
    assert (done.ok, done.stdout) == (True, "started\n")


def test_a_missing_program_is_told(system: PosixSystem) -> None:
    with pytest.raises(Failure) as missing:
        system.run(Command(("no-such-program",)))
    assert missing.value.code == "command-missing"


def test_without_root_the_state_stands_in_the_users_own_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert PosixSystem(clock=SystemClock(), environ={"XDG_STATE_HOME": "/home/me/state"}).state == (
        "/home/me/state/reconciler"
    )


def test_entries_are_listed_and_removed(system: PosixSystem, root: Path) -> None:
    system.mkdir("/etc/d", Access(MINE.uid, MINE.gid, 0o700))
    system.symlink("/etc/d/l", "x")
    system.append("/etc/d/f", b"1")
    system.append("/etc/d/f", b"2")
    assert system.listdir("/etc/d") == ["f", "l"]
    assert (root / "etc/d/f").read_text() == "12"
    for name in ("f", "l"):
        system.remove(f"/etc/d/{name}")
    system.remove("/etc/d")
    assert system.look("/etc/d") is None


def test_an_attacker_who_swaps_directories_for_links_never_gets_a_file(system: PosixSystem, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = Path(system.root, "etc/swap")
    program = (
        "import itertools, os, sys\nplace, out = sys.argv[1:]\n"
        "for n in itertools.count():\n"
        " os.mkdir(place); os.rename(place, f'{place}.{n}'); os.symlink(out, place); os.unlink(place)\n"
    )
    attacker = subprocess.Popen([sys.executable, "-c", program, str(place), str(outside)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                system.write_atomic("/etc/swap/file", b"x", MINE)
            except (OSError, Failure):
                continue
        assert attacker.poll() is None, "it attacked to the end"
    finally:
        attacker.kill()
        attacker.wait()
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="with root this would be the machine's own state")
def test_without_root_an_app_is_applied_to_ones_own_files(tmp_path: Path) -> None:
    system = PosixSystem(clock=SystemClock(), environ={"XDG_STATE_HOME": str(tmp_path / "state")})
    me, team = system.user_name(os.geteuid()), system.group_name(os.getegid())
    path = str(tmp_path / "on/the/way/file")
    _, done = run(request(wanted("file", path=path, content="x", owner=me, group=team)), system)
    assert (done.status, Path(path).read_text()) == ("converged", "x")
    assert (tmp_path / "state/reconciler/ledger.json").is_file()


def test_a_second_name_that_someone_else_may_have_made_is_not_given_away(system: PosixSystem, root: Path) -> None:
    (root / "secret").write_text("root's")
    (root / "secret").chmod(0o600)
    (root / "open").mkdir()
    (root / "open").chmod(0o777)
    (root / "open/file").hardlink_to(root / "secret")
    with pytest.raises(Failure) as refused:
        system.grant("/open/file", MINE)
    assert refused.value.code == "shared-file"
    assert stat.S_IMODE((root / "secret").stat().st_mode) == 0o600
    (root / "etc/file").hardlink_to(root / "secret")
    system.grant("/etc/file", MINE)
    assert stat.S_IMODE((root / "secret").stat().st_mode) == 0o644


def test_rights_are_given_to_what_stands_there_and_never_through_a_link(system: PosixSystem, root: Path) -> None:
    (root / "etc/target").write_text("x")
    (root / "etc/target").chmod(0o600)
    (root / "etc/link").symlink_to("target")
    os.mkfifo(root / "etc/fifo")
    for name in ("link", "fifo"):
        with pytest.raises((Failure, OSError)):
            system.grant(f"/etc/{name}", MINE)
    with pytest.raises(Failure):
        system.grant_link("/etc/target", MINE.uid, MINE.gid)
    assert stat.S_IMODE((root / "etc/target").stat().st_mode) == 0o600


@as_root
def test_a_link_is_given_away_and_not_what_it_leads_to(system: PosixSystem, root: Path) -> None:
    (root / "etc/target").write_text("x")
    (root / "etc/link").symlink_to("target")
    system.grant_link("/etc/link", 12345, 12346)
    assert ((root / "etc/link").lstat().st_uid, (root / "etc/link").lstat().st_gid) == (12345, 12346)
    assert (root / "etc/target").stat().st_uid == 0


@pytest.mark.parametrize("locked", [False, True])
def test_a_program_gets_a_long_input_over_its_standard_input_and_no_other_descriptor(
    system: PosixSystem, *, locked: bool
) -> None:
    program = "import os, sys; n = len(sys.stdin.buffer.read()); print(n, *os.listdir('/proc/self/fd'))"
    command = Command((sys.executable, "-c", program), stdin=b"x" * 3_000_000)
    with system.exclusive(Claim(0, 0, "test")) if locked else nullcontext():
        done = system.run(command)
    count, *descriptors = done.stdout.split()
    assert (done.ok, count) == (True, "3000000")
    assert set(descriptors) <= {"0", "1", "2", "3"}, "3 is the listing's own"


@pytest.mark.parametrize("locked", [False, True])
def test_a_program_that_does_not_read_its_input_ends_well(system: PosixSystem, *, locked: bool) -> None:
    with system.exclusive(Claim(0, 0, "test")) if locked else nullcontext():
        done = system.run(Command(("true",), stdin=b"x" * 3_000_000, timeout_seconds=60))
    assert done.ok


def test_a_program_whose_holder_ends_before_it_is_named_does_not_run(root: Path) -> None:
    waiting = subprocess.Popen(
        ["/bin/sh", "-c", processes._AFTER_GO, "sh", "touch", str(root / "ran")], stdin=subprocess.PIPE
    )
    waiting.communicate(b"")
    assert waiting.returncode != 0
    assert not (root / "ran").exists()


def test_programs_and_the_ledgers_directory_do_not_take_our_umask(system: PosixSystem, root: Path) -> None:
    before = os.umask(0)
    try:
        with system.exclusive(Claim(0, 0, "test")):
            done = system.run(Command(("sh", "-c", "umask")))
    finally:
        os.umask(before)
    assert done.stdout == "0022\n"
    modes = [stat.S_IMODE((root / path).stat().st_mode) for path in ("var", "var/lib", "var/lib/reconciler")]
    assert modes == [0o755, 0o755, 0o700]


@pytest.mark.parametrize("command", [Command(("true",), env={"A": "x\0y"}), Command(("true", "x\0y"))])
def test_a_nul_character_is_told_without_the_value(system: PosixSystem, command: Command) -> None:
    with pytest.raises(Failure) as refused:
        system.run(command)
    assert refused.value.code == "not-runnable"
    assert "x" not in refused.value.text()


def test_a_nul_character_in_a_path_is_told(system: PosixSystem) -> None:
    with pytest.raises(Failure) as path:
        system.write_atomic("/etc/a\0b", b"", MINE)
    with pytest.raises(Failure) as target:
        system.symlink("/etc/a", "b\0c")
    assert (path.value.code, target.value.code) == ("bad-path", "bad-path")
