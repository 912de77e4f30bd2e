"""Archives: what may be unpacked, how it is kept, and what it never touches."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.resources.failure import Failure
from reconciler.resources.kinds import unpacking
from reconciler.resources.machine import downloads
from reconciler.resources.machine.posix import PosixSystem
from reconciler.resources.machine.system import Access, Completed
from reconciler.resources.protocol import ResourceEvent, Wanted
from tests.fakes.archives import Things, sha256, tar, zipped
from tests.fakes.requests import actions, look, request, run, wanted
from tests.fakes.system import FakeHost

URL = "https://example.org/app.tgz"
FIRST: Things = {
    "app-1/bin/app": "one",
    "app-1/doc/readme": "read me",
    "app-1/current": (tarfile.SYMTYPE.decode(), "bin"),
}
SECOND: Things = {
    "app-2/bin/app": "two",
    "app-2/lib/extra": "extra",
    "app-2/current": (tarfile.SYMTYPE.decode(), "lib"),
}
NEVER = {"command": {"argv": ["never"]}, "within": "0s"}


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    host.answers["never",] = Completed(1)
    host.file("/opt/others", "theirs")
    return host


def archive(host: FakeHost, content: bytes, **fields: Any) -> Wanted:
    host.downloads[URL] = content
    return wanted("archive", **{"source": URL, "sha256": sha256(content), "path": "/opt/app", "strip": 1, **fields})


def standing(host: FakeHost) -> dict[str, str]:
    """What stands below /opt/app: text of files, target of links."""
    found = {path: entry for path, entry in host.entries.items() if path.startswith("/opt/app/")}
    return {
        path.removeprefix("/opt/app/"): entry.target or (host.text(path) or "")
        for path, entry in sorted(found.items())
        if entry.kind != "directory"
    }


def test_an_archive_is_unpacked_once_and_then_left_alone(host: FakeHost) -> None:
    wish = request(archive(host, tar(FIRST)))
    _, done = run(wish, host)
    assert (done.status, done.changed) == ("converged", 1)
    assert standing(host) == {"bin/app": "one", "doc/readme": "read me", "current": "bin"}
    _, again = run(wish, host)
    assert (again.changed, host.commands("download")) == (0, [("download", URL)])
    assert not [path for path in host.entries if path.endswith(".download")]


def test_another_archive_replaces_what_the_first_left_and_removes_what_it_no_longer_holds(host: FakeHost) -> None:
    run(request(archive(host, tar(FIRST))), host)
    host.file("/opt/app/doc/notes", "by hand")
    events, _ = run(request(archive(host, tar(SECOND)), generation=2), host)
    assert actions(events) == {"archive:/opt/app": "change"}
    assert standing(host) == {"bin/app": "two", "lib/extra": "extra", "current": "lib", "doc/notes": "by hand"}


def test_a_rollback_brings_the_first_back(host: FakeHost) -> None:
    wish = request(archive(host, tar(FIRST)))
    run(wish, host)
    before = host.tree()
    _, done = run(request(archive(host, tar(SECOND)), generation=2, health=(NEVER,)), host)
    assert (done.status, host.tree()) == ("rolled-back", before)
    assert look(wish, host)[1].status == "in-sync"


def test_when_it_leaves_the_manifests_only_what_it_brought_goes(host: FakeHost) -> None:
    host.file("/opt/app/doc/notes", "by hand")
    before = host.tree()
    run(request(archive(host, tar(FIRST))), host)
    events, _ = run(request(generation=2), host)
    assert actions(events) == {"archive:/opt/app": "delete"}
    assert host.tree() == before


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda host: host.remove("/opt/app/bin/app"), "missing: bin/app"),
        (lambda host: host.file("/opt/app/bin/app", "0ne"), "changed: bin/app"),
        (lambda host: host.grant("/opt/app/bin/app", Access(0, 0, 0o777)), "changed: bin/app"),
        (lambda host: host.symlink("/opt/app/current", "/etc"), "changed: current"),
        (lambda host: host.grant("/opt/app/doc", Access(8, 8, 0o755)), "changed: doc"),
    ],
    ids=["removed", "edited", "another mode", "another target", "another owner"],
)
def test_what_was_changed_by_hand_is_found_and_healed(
    host: FakeHost, harm: Callable[[FakeHost], None], told: str
) -> None:
    wish = request(archive(host, tar(FIRST)))
    run(wish, host)
    before = host.tree(below="/opt")
    harm(host)
    events, found = look(wish, host)
    assert found.status == "drifted"
    assert [event.differences for event in events if isinstance(event, ResourceEvent)] == [(told,)]
    run(wish, host)
    assert host.tree(below="/opt") == before


def test_a_file_that_was_only_touched_is_not_changed(host: FakeHost) -> None:
    wish = request(archive(host, tar(FIRST)))
    run(wish, host)
    host.file("/opt/app/bin/app", "one")
    assert look(wish, host)[1].status == "in-sync"


def test_files_of_other_resources_in_it_are_left_to_these(host: FakeHost) -> None:
    config = wanted("file", path="/opt/app/bin/app", content="ours")
    for order in ((0, 1), (1, 0)):
        both = (archive(host, tar(FIRST)), config)
        _, done = run(request(*(both[index] for index in order)), host)
        assert (done.status, standing(host)["bin/app"]) == ("converged", "ours")
        assert look(request(*both), host)[1].status == "in-sync"


def test_it_never_goes_over_what_is_not_its_own_unless_told_so(host: FakeHost) -> None:
    host.file("/opt/app/bin/app", "theirs")
    wish = archive(host, tar(FIRST))
    _, done = run(request(wish), host)
    assert (done.status, done.code, standing(host)) == ("failed", "not-ours", {"bin/app": "theirs"})
    run(request(wish, adopt="replace"), host)
    assert standing(host)["bin/app"] == "one"
    run(request(generation=2), host)
    assert standing(host) == {"bin/app": "one"}, "what was there before us stays"


def test_a_lost_ledger_is_made_again_from_what_stands_there(host: FakeHost) -> None:
    wish = request(archive(host, tar(FIRST)))
    run(wish, host)
    before = host.tree()
    for path in sorted((path for path in host.entries if path.startswith(host.state)), reverse=True):
        host.remove(path)
    _, done = run(wish, host)
    assert (done.status, host.tree()) == ("converged", before)


def test_a_file_of_the_host_is_unpacked_again_when_it_changes(host: FakeHost) -> None:
    def put(things: Things) -> None:
        host.write_atomic("/srv/app.tgz", tar(things), host.own(0o600))

    host.mkdir("/srv", host.own(0o755))
    put(FIRST)
    wish = request(wanted("archive", source="/srv/app.tgz", path="/opt/app", strip=1))
    run(wish, host)
    put(SECOND)
    assert look(wish, host)[1].status == "drifted"
    run(wish, host)
    assert standing(host)["bin/app"] == "two"
    host.remove("/srv/app.tgz")
    assert look(wish, host)[1].status == "in-sync", "what it left needs it no more"


def test_an_owner_gets_all_of_it_with_the_owners_group_and_nobody_else_may_write(host: FakeHost) -> None:
    host.file("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\napp:x:7:8::/srv:/bin/sh\n")
    run(request(archive(host, tar(FIRST, mode=0o6777), owner="app")), host)
    owners = {path: (entry.uid, entry.gid) for path, entry in host.entries.items() if path.startswith("/opt/app")}
    assert set(owners.values()) == {(7, 8)}
    assert host.entries["/opt/app/bin/app"].mode == 0o755


def test_an_archive_with_another_checksum_is_refused(host: FakeHost) -> None:
    _, done = run(request(archive(host, tar(FIRST), sha256="0" * 64)), host)
    assert (done.status, done.code, standing(host)) == ("failed", "wrong-checksum", {})
    host.downloads.clear()
    _, done = run(request(wanted("archive", source=URL, sha256="0" * 64, path="/opt/app"), generation=2), host)
    assert done.code == "download-failed"


def link(target: str) -> tuple[str, str]:
    return tarfile.SYMTYPE.decode(), target


@pytest.mark.parametrize(
    "things",
    [
        {"../x": "out"},
        {"a/../../x": "out"},
        {"/etc/x": "out"},
        {"a": link("/etc")},
        {"a": link("../x")},
        {"d/a": link("../../x")},
        {"d/a": link(".."), "x": link("d/a/../x")},
        {"a": link("b"), "a/x": "through a link"},
        {"a": "a file", "a/x": "through a file"},
        {"a": (tarfile.CHRTYPE.decode(), "")},
        {"a": (tarfile.FIFOTYPE.decode(), "")},
    ],
    ids=str,
)
def test_what_would_leave_the_target_is_refused_and_nothing_is_unpacked(host: FakeHost, things: Things) -> None:
    before = host.tree()
    _, done = run(request(archive(host, tar({"first": "fine", **things}), strip=0)), host)
    assert (done.status, done.code) == ("failed", "unsafe-archive"), done
    assert host.tree() == before


def test_links_that_stay_inside_are_fine() -> None:
    things: Things = {"d/e/f": "f", "d/up": link("../d/e"), "d/e/here": link("./f"), "hard": ("1", "d/e/f")}
    found = unpacking.listing(io.BytesIO(tar(things)), 0)
    assert {path: (member.kind, member.target) for path, member in found.items()} == {
        "d": ("directory", ""),
        "d/e": ("directory", ""),
        "d/e/f": ("file", ""),
        "d/e/here": ("link", "./f"),
        "d/up": ("link", "../d/e"),
        "hard": ("file", ""),
    }
    assert found["hard"].sha256 == found["d/e/f"].sha256


@pytest.mark.parametrize("packed", [*(tar(FIRST, kind) for kind in ("", "gz", "bz2", "xz")), zipped(FIRST)])
def test_every_format_gives_the_same(packed: bytes) -> None:
    found = unpacking.listing(io.BytesIO(packed), 1)
    assert sorted(found) == ["bin", "bin/app", "current", "doc", "doc/readme"]
    assert {path: read() for path, read in unpacking.contents(io.BytesIO(packed), 1)} == {
        "bin/app": b"one",
        "doc/readme": b"read me",
    }


@pytest.mark.parametrize(
    "packed",
    [b"", b"no archive", tar(FIRST)[:-30], zipped(FIRST)[:-10], zipped(FIRST).replace(b"one", b"0ne")],
    ids=["empty", "text", "cut tar", "cut zip", "wrong sum in a zip"],
)
def test_what_cannot_be_read_is_told(packed: bytes) -> None:
    with pytest.raises(Failure) as told:
        unpacking.listing(io.BytesIO(packed), 0)
    assert told.value.code == "bad-archive"


def test_a_bomb_is_refused_by_what_it_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in (("MAX_FILE_BYTES", 2), ("MAX_UNPACKED_BYTES", 5), ("MAX_MEMBERS", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(unpacking, name, limit)
            with pytest.raises(Failure) as told:
                unpacking.listing(io.BytesIO(tar(FIRST)), 0)
        assert told.value.code == "archive-too-large", name


@pytest.fixture
def server() -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] in {None, "Basic dXNlcjpzZWNyZXQ="}
            codes = {"/elsewhere": 302, "/app.tgz": 200}
            self.send_response(codes.get(self.path, 404) if known else 401)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            self.wfile.write(tar(FIRST))

        def log_message(self, *_: object) -> None:
            """Quiet."""

    listening = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def test_a_real_sandbox_fetches_and_unpacks(server: str, tmp_path: Path) -> None:
    system = PosixSystem(str(tmp_path), clock=SystemClock())
    wish = wanted("archive", source=f"{server}/app.tgz", sha256=sha256(tar(FIRST)), path="/opt/app", strip=1)
    _, done = run(request(wish), system)
    assert (done.status, done.error) == ("converged", "")
    assert (tmp_path / "opt/app/bin/app").read_text() == "one"
    assert (tmp_path / "opt/app/current").readlink() == Path("bin")
    assert run(request(wish), system)[1].changed == 0
    run(request(generation=2), system)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["var"]


@pytest.mark.parametrize(("path", "why"), [("/gone", "status 404"), ("/elsewhere", "status 302")])
def test_what_a_server_refuses_is_told_and_no_redirect_leaves_the_web(
    server: str, path: str, why: str, tmp_path: Path
) -> None:
    with (tmp_path / "got").open("wb") as file, pytest.raises(Failure) as told:
        downloads.fetch(f"{server.replace('//', '//user:secret@')}{path}", file, 1000)
    assert told.value.message == f"cannot fetch {server}{path}: {why}"


def test_a_download_is_bounded(server: str, tmp_path: Path) -> None:
    with (tmp_path / "got").open("wb") as file, pytest.raises(Failure, match="larger than"):
        downloads.fetch(f"{server}/app.tgz", file, 10)
