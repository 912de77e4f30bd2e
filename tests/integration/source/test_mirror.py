"""A branch elsewhere is followed by fetching it, whatever happens to it."""

import functools
import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.model.tree import Revision
from reconciler.settings import FOLLOWED
from reconciler.source.mirror import LastFetched, Mirror
from tests.integration.source.conftest import Repository

ONE: dict[str, str | bytes] = {"manifests/a.yaml": "one"}
TWO: dict[str, str | bytes] = {"manifests/a.yaml": "two"}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mirrors"


def read(mirror: Mirror, revision: Revision) -> dict[str, bytes]:
    return {path: file.read() for path, file in mirror.tree(revision).files.items()}


@pytest.mark.parametrize("form", ["{0}", "file://{0}", "{0}/.git"])
def test_each_fetch_brings_the_newest_commit(repository: Repository, kept: Path, form: str) -> None:
    with Mirror(form.format(repository.root), "main", kept) as mirror:
        commit = repository.commit("one\n\nReconcile-Allow-Deletes: 3", ONE)
        first = mirror.fetch()
        assert first == Revision(commit, "main", trailers={"Reconcile-Allow-Deletes": "3"})
        assert read(mirror, first) == {"manifests/a.yaml": b"one"}
        repository.commit(files=TWO)
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"two"}
        assert mirror.fetch().commit == repository.git("rev-parse", "HEAD")


def test_a_bare_repository_on_disk_can_be_followed(repository: Repository, kept: Path, tmp_path: Path) -> None:
    repository.commit(files=ONE)
    bare = tmp_path / "bare.git"
    repository.git("clone", "--quiet", "--bare", ".", str(bare))
    with Mirror(str(bare), "main", kept) as mirror:
        mirror.fetch()
        repository.commit(files=TWO)
        repository.git("push", "--quiet", str(bare), "main")
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"two"}


def test_an_earlier_revision_stays_readable(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        first = mirror.fetch()
        repository.commit(files=TWO)
        mirror.fetch()
        assert read(mirror, first) == {"manifests/a.yaml": b"one"}


def test_only_the_newest_commit_is_fetched_at_first(repository: Repository, kept: Path) -> None:
    for number in range(3):
        repository.commit(files={"manifests/a.yaml": str(number)})
    with Mirror(str(repository.root), "main", kept) as mirror:
        mirror.fetch()
    (bare,) = kept.glob("*.git")
    assert (bare / "shallow").read_text().strip() == repository.git("rev-parse", "HEAD")


def test_a_force_push_is_followed_and_told_once(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        repository.commit()
        old = mirror.fetch()
        assert mirror.rewritten_from == ""
        repository.write(TWO)
        repository.git("commit", "--quiet", "--all", "--amend", "-m", "rewritten")
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"two"}
        assert mirror.rewritten_from == old.commit
        repository.commit()
        mirror.fetch()
        assert mirror.rewritten_from == ""


def test_a_fresh_process_goes_on_with_the_mirror_of_the_last(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        mirror.fetch()
    repository.git("commit", "--quiet", "--amend", "-m", "rewritten")
    with Mirror(str(repository.root), "main", kept) as mirror:
        mirror.fetch()
        assert mirror.rewritten_from
    assert len(list(kept.glob("*.git"))) == 1


def test_branches_that_could_not_stand_side_by_side_do_not_meet(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    repository.git("branch", "release")
    with Mirror(str(repository.root), "release", kept) as mirror:
        mirror.fetch()
    repository.git("branch", "--quiet", "--move", "release", "release/2")
    with Mirror(str(repository.root), "release/2", kept) as mirror:
        assert mirror.fetch().branch == "release/2"


def test_what_a_killed_git_left_locked_is_swept_away(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        mirror.fetch()
        (bare,) = kept.glob("*.git")
        for name in ("shallow.lock", "refs/heads/main.lock", "config.lock", "packed-refs.lock"):
            (bare / name).touch()
        commit = repository.commit(files=TWO)
        assert mirror.fetch().commit == commit


def test_a_mirror_that_someone_removed_is_made_again(repository: Repository, kept: Path, tmp_path: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        read(mirror, mirror.fetch())
        kept.rename(tmp_path / "removed")
        repository.commit(files=TWO)
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"two"}


@pytest.mark.parametrize("lost", ["HEAD", "objects", "refs"])
def test_a_mirror_half_made_inside_another_repository_is_not_taken_for_that_one(
    repository: Repository, tmp_path: Path, lost: str
) -> None:
    repository.commit(files=ONE)
    around = Repository(tmp_path / "around")
    around.commit(files={"manifests/a.yaml": "around"})
    with Mirror(str(repository.root), "main", around.root / "mirrors") as mirror:
        mirror.fetch()
        (bare,) = (around.root / "mirrors").glob("*.git")
        (bare / lost).rename(tmp_path / "lost")
    with Mirror(str(repository.root), "main", around.root / "mirrors") as mirror:
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"one"}


def test_a_place_where_no_mirror_can_be_kept_is_told(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Mirror(str(repository.root), "main", tmp_path / "file") as mirror, pytest.raises(Unavailable) as error:
        mirror.fetch()
    assert "cannot keep a mirror in" in str(error.value)


def test_two_processes_may_share_the_directory(repository: Repository, kept: Path) -> None:
    commit = repository.commit(files=ONE)
    found: list[str] = []

    def fetch() -> None:
        with Mirror(str(repository.root), "main", kept) as mirror:
            found.append(mirror.fetch().commit)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [commit] * 4


def test_a_branch_that_is_not_there_is_told_with_the_likely_one(repository: Repository, kept: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "mian", kept) as mirror, pytest.raises(InvalidInput) as error:
        mirror.fetch()
    assert str(error.value) == f"{repository.root} has no branch mian. Did you mean main?"
    with Mirror(str(repository.root), "x", kept) as mirror, pytest.raises(InvalidInput, match=r"It has main$"):
        mirror.fetch()


def test_an_empty_repository_has_no_branch(repository: Repository, kept: Path) -> None:
    with Mirror(str(repository.root), "main", kept) as mirror, pytest.raises(InvalidInput, match="It is empty"):
        mirror.fetch()


def test_what_cannot_be_reached_is_told_in_gits_words(tmp_path: Path, kept: Path) -> None:
    with Mirror(str(tmp_path / "none"), "main", kept) as mirror, pytest.raises(Unavailable) as error:
        mirror.fetch()
    none = tmp_path / "none"
    assert str(error.value) == f"cannot fetch {none}: '{none}' does not appear to be a git repository"


def test_after_an_outage_the_next_fetch_works(repository: Repository, kept: Path, tmp_path: Path) -> None:
    repository.commit(files=ONE)
    with Mirror(str(repository.root), "main", kept) as mirror:
        revision = mirror.fetch()
        repository.root.rename(tmp_path / "away")
        with pytest.raises(Unavailable):
            mirror.fetch()
        assert read(mirror, revision) == {"manifests/a.yaml": b"one"}
        (tmp_path / "away").rename(repository.root)
        assert mirror.fetch() == revision


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path, type[http.server.SimpleHTTPRequestHandler]]]:
    """A web server: its address, the folder that it serves, and its handler, to be changed by a test."""
    (tmp_path / "www").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(tmp_path / "www"))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", tmp_path / "www", Handler
        server.shutdown()
        thread.join()


Web = tuple[str, Path, type[http.server.SimpleHTTPRequestHandler]]


def test_plain_files_on_a_web_server_can_be_followed(repository: Repository, kept: Path, web: Web) -> None:
    address, folder, _ = web
    repository.commit(files=ONE)
    repository.git("clone", "--quiet", "--bare", ".", str(folder / "fleet.git"))
    repository.git("--git-dir", str(folder / "fleet.git"), "update-server-info")
    with Mirror(f"http://{address}/fleet.git", "main", kept) as mirror:
        assert read(mirror, mirror.fetch()) == {"manifests/a.yaml": b"one"}


def test_a_refused_password_is_told_without_it_and_nobody_is_asked(
    kept: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _, handler = web

    def refuse(self: http.server.SimpleHTTPRequestHandler) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.end_headers()

    monkeypatch.setattr(handler, "do_GET", refuse)
    with Mirror(f"http://ann:hunter2@{address}/fleet.git", "main", kept) as mirror:
        with pytest.raises(Unavailable) as error:
            mirror.fetch()
        assert mirror.shown_url == f"http://***@{address}/fleet.git"
    assert str(error.value).startswith(f"cannot fetch http://***@{address}/fleet.git: Authentication failed")
    assert "hunter2" not in str(error.value)
    with (
        Mirror(f"http://{address}/fleet.git", "main", kept) as mirror,
        pytest.raises(Unavailable, match="prompts disabled"),
    ):
        mirror.fetch()


def test_a_server_that_does_not_answer_is_given_up_after_the_time_limit(
    kept: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _, handler = web
    done = threading.Event()

    def wait(self: http.server.SimpleHTTPRequestHandler) -> None:
        done.wait(20)

    monkeypatch.setattr(handler, "do_GET", wait)
    with Mirror(f"http://{address}/fleet.git", "main", kept, timeout_seconds=0.5) as mirror:
        with pytest.raises(Unavailable, match=r"git took longer than 0\.5 s and was ended"):
            mirror.fetch()
        done.set()


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c 'touch trap'", "EXT::x", "fd::7", "-u./trap", "gopher://x/y", "ext://x", "transport::a/b", "", "a\nb"],
)
def test_a_url_that_would_run_a_program_is_refused(kept: Path, url: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Mirror(url, "main", kept)
    assert error.value.problems[0].code == "unsafe-url"


@pytest.mark.parametrize(
    "branch", ["", "-x", "a..b", "a b", "a:b", "a*", "refs@{1}", "a.lock", "/a", "a/", "a//b", "a\n", "^a", ".a", "a."]
)
def test_what_cannot_be_a_branch_is_refused(kept: Path, branch: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Mirror("https://example.com/fleet.git", branch, kept)
    assert error.value.problems[0].code == "malformed-branch"


def test_nothing_of_the_followed_repository_is_executed(repository: Repository, kept: Path, tmp_path: Path) -> None:
    repository.commit(files=ONE)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o700)
    with Mirror(str(repository.root), "main", kept) as mirror:
        mirror.fetch()
        (bare,) = kept.glob("*.git")
        (bare / "hooks").mkdir()
        for hook in ("reference-transaction", "post-merge", "pre-auto-gc", "post-checkout"):
            (bare / "hooks" / hook).symlink_to(trap)
        repository.commit(files=TWO)
        mirror.fetch()
    assert not (tmp_path / "sprung").exists()


def test_a_relative_path_is_taken_from_where_the_command_runs(
    repository: Repository, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repository.commit(files=ONE)
    monkeypatch.chdir(repository.root.parent)
    with Mirror("./fleet", "main", kept) as mirror:
        assert mirror.fetch().commit == commit
        assert mirror.shown_url == str(repository.root)


def test_what_was_fetched_last_is_found_and_read_without_fetching(
    repository: Repository, kept: Path, tmp_path: Path
) -> None:
    commit = repository.commit(files=ONE)
    repository.git("branch", "other")
    for branch in ("main", "other"):
        with Mirror(str(repository.root), branch, kept) as mirror:
            mirror.fetch()
    repository.root.rename(tmp_path / "gone")
    with LastFetched(kept / FOLLOWED) as fetched:
        tree = fetched.tree(fetched.newest)
        assert (tree.revision, tree.files["manifests/a.yaml"].read()) == (
            Revision(commit, "other", trailers={}),
            b"one",
        )
