"""Who owns what: adoption, moves, other fleets, and what becomes of things that leave the manifests."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import ResourceEvent
from reconciler.resources.records.book import read_ledger
from tests.fakes.requests import actions, look, request, run, wanted
from tests.fakes.system import FakeHost, FakePackage, FakeService


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def test_what_exists_differs_and_is_not_ours_is_an_error(host: FakeHost) -> None:
    host.file("/etc/nginx/nginx.conf", "theirs")
    _, done = run(request(wanted("file", path="/etc/nginx/nginx.conf", content="ours")), host)
    assert (done.status, done.code) == ("failed", "not-ours")
    assert done.error.endswith("/etc/nginx/nginx.conf exists, differs and is not ours")
    assert done.hint == "Take over: adopt: replace"
    assert host.text("/etc/nginx/nginx.conf") == "theirs"


def test_equal_content_passes_and_counts_as_adopted(host: FakeHost) -> None:
    host.file("/etc/a", "same")
    _, done = run(request(wanted("file", path="/etc/a", content="same")), host)
    assert (done.status, done.changed, done.adopted) == ("converged", 0, ("file:/etc/a",))


def test_an_untouched_conffile_of_the_distribution_passes_and_a_touched_one_does_not(host: FakeHost) -> None:
    host.file("/etc/tool.conf", "stock")
    known = hashlib.md5(b"stock").hexdigest()
    host.file("/var/lib/dpkg/status", f"Package: tool\nConffiles:\n /etc/tool.conf {known}\n /etc/tool.conf.d/x 0\n")
    wish = request(wanted("file", path="/etc/tool.conf", content="ours"))
    assert run(wish, host)[1].status == "converged"
    other = FakeHost()
    other.file("/var/lib/dpkg/status", host.text("/var/lib/dpkg/status") or "")
    other.file("/etc/tool.conf", "edited by hand")
    assert run(wish, other)[1].code == "not-ours"


def test_a_file_as_its_rpm_package_brought_it_passes_too() -> None:
    host = FakeHost(tool="dnf")
    host.programs.add("rpm")
    host.file("/etc/tool.conf", "stock")
    known = hashlib.sha256(b"stock").hexdigest()
    argv = ("rpm", "--query", "--queryformat", "[%{FILENAMES}\t%{FILEDIGESTS}\n]", "--file", "/etc/tool.conf")
    host.answers[argv] = Completed(0, f"/etc/other\t{'0' * 64}\n/etc/tool.conf\t{known}\n")
    wish = request(wanted("file", path="/etc/tool.conf", content="ours"))
    other = copy.deepcopy(host)
    other.file("/etc/tool.conf", "edited by hand")
    assert run(wish, host)[1].status == "converged"
    assert run(wish, other)[1].code == "not-ours"


def test_a_group_stays_and_is_told(host: FakeHost) -> None:
    run(request(wanted("group", name="web")), host)
    events, _ = run(request(generation=2), host)
    assert [(event.action, event.differences) for event in events if isinstance(event, ResourceEvent)] == [
        ("left", ("files may belong to it",))
    ]
    assert "web:x:2000:" in (host.text("/etc/group") or "")


def test_adopt_replace_takes_over_with_a_backup_and_the_file_stays_when_it_leaves(host: FakeHost) -> None:
    host.file("/etc/a", "theirs")
    _, done = run(request(wanted("file", path="/etc/a", content="ours"), adopt="replace"), host)
    assert (host.text("/etc/a"), done.adopted) == ("ours", ("file:/etc/a",))
    owned = read_ledger(host, "fleet", "host").apps["web"].owned["file:/etc/a"]
    assert host.text(f"/var/lib/reconciler/backups/{owned.backup}") == "theirs"
    events, _ = run(request(generation=2), host)
    assert actions(events) == {"file:/etc/a": "left"}
    assert host.text("/etc/a") == "ours"


def test_wanting_something_away_needs_no_adoption(host: FakeHost) -> None:
    host.symlink("/etc/default-site", "somewhere")
    _, done = run(request(wanted("link", path="/etc/default-site", state="absent")), host)
    assert (done.status, done.changed, "/etc/default-site" in host.entries) == ("converged", 1, False)


def test_deletes_run_last_and_in_reverse_order_and_take_empty_parents_along(host: FakeHost) -> None:
    old = (
        wanted("directory", path="/srv/app"),
        wanted("file", path="/srv/app/a", content="a"),
        wanted("file", path="/opt/made/on/the/way", content="b"),
    )
    run(request(*old), host)
    events, _ = run(request(wanted("file", path="/etc/new", content="n"), generation=2), host)
    assert [event.id for event in events if isinstance(event, ResourceEvent)] == [
        "file:/etc/new",
        "file:/opt/made/on/the/way",
        "file:/srv/app/a",
        "directory:/srv/app",
    ]
    assert not [path for path in host.entries if path.startswith(("/srv", "/opt"))]


def test_a_directory_that_others_put_something_into_stays(host: FakeHost) -> None:
    run(request(wanted("directory", path="/srv/app")), host)
    host.file("/srv/app/data", "precious")
    run(request(generation=2), host)
    assert host.text("/srv/app/data") == "precious"


def test_what_is_kept_and_what_prune_false_leaves_stays_and_is_told(host: FakeHost) -> None:
    for options, keep in (({"prune": "false"}, False), ({}, True)):
        run(request(wanted("file", path="/etc/a", content="a", keep=keep)), host)
        events, _ = run(request(generation=2, **options), host)
        assert actions(events) == {"file:/etc/a": "left"}
        assert host.text("/etc/a") == "a"
        host = FakeHost()


def test_packages_stay_unless_prune_is_all(host: FakeHost) -> None:
    host.repository["tool"] = FakePackage()
    run(request(wanted("package", name="tool")), host)
    events, _ = run(request(generation=2), host)
    assert (actions(events), set(host.packages)) == ({"package:tool": "left"}, {"tool"})
    other = FakeHost()
    other.repository["tool"] = FakePackage()
    run(request(wanted("package", name="tool")), other)
    events, _ = run(request(generation=2, prune="all"), other)
    assert (actions(events), other.packages) == ({"package:tool": "delete"}, {})


@pytest.mark.parametrize(("prune", "becomes"), [("true", "delete"), ("false", "left"), ("all", "delete")])
def test_an_app_that_leaves_is_pruned_as_it_said_itself(host: FakeHost, prune: str, becomes: str) -> None:
    host.repository["tool"] = FakePackage()
    run(request(wanted("file", path="/etc/a", content="a"), wanted("package", name="tool"), prune=prune), host)
    seen, _ = look(request(generation=2, remove=True), host)
    events, _ = run(request(generation=2, remove=True), host)
    package = "delete" if prune == "all" else "left"
    assert actions(seen) == actions(events) == {"file:/etc/a": becomes, "package:tool": package}
    assert read_ledger(host, "fleet", "host").apps == {}


def test_a_run_that_goes_back_takes_its_way_of_pruning_along(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="a"), prune="false"), host)
    host.answers["false",] = Completed(1)
    fails = (wanted("file", path="/etc/a", content="b"), wanted("command", argv=["false"]))
    _, done = run(request(*fails, prune="all", generation=2), host)
    assert done.status == "rolled-back"
    run(request(generation=3, remove=True), host)
    assert host.text("/etc/a") == "a"


def test_a_package_that_was_there_before_us_is_never_removed(host: FakeHost) -> None:
    host.packages["tool"] = "1"
    run(request(wanted("package", name="tool")), host)
    events, _ = run(request(generation=2, prune="all"), host)
    assert (actions(events), host.packages) == ({"package:tool": "left"}, {"tool": "1"})


def test_a_service_that_our_package_brought_is_stopped_and_disabled(host: FakeHost) -> None:
    host.repository["nginx"] = FakePackage(services=("nginx",))
    run(request(wanted("package", name="nginx"), wanted("service", name="nginx")), host)
    run(request(generation=2), host)
    assert (host.services["nginx"].running, host.services["nginx"].enabled) == (False, False)


def test_a_service_that_was_there_before_us_stays_as_it_is(host: FakeHost) -> None:
    host.services["cron"] = FakeService(running=True, enabled=True)
    run(request(wanted("service", name="cron")), host)
    events, _ = run(request(generation=2), host)
    assert (actions(events), host.services["cron"].running) == ({"service:cron": "left"}, True)


def test_a_key_that_left_the_list_is_taken_away_and_those_of_others_stay(host: FakeHost) -> None:
    run(request(wanted("user", name="deploy", authorizedKeys=["ssh-ed25519 AAA old"])), host)
    host.file("/home/deploy/.ssh/authorized_keys", "ssh-ed25519 AAA old\nssh-ed25519 BBB theirs\n", 0o600)
    run(request(wanted("user", name="deploy", authorizedKeys=["ssh-ed25519 AAA new"]), generation=2), host)
    assert host.text("/home/deploy/.ssh/authorized_keys") == "ssh-ed25519 BBB theirs\nssh-ed25519 AAA new\n"


def test_a_user_that_leaves_is_locked_and_loses_our_keys(host: FakeHost) -> None:
    run(request(wanted("user", name="deploy", authorizedKeys=["ssh-ed25519 AAA ours"])), host)
    host.file("/home/deploy/.ssh/authorized_keys", "# by hand\nssh-ed25519 AAA ours\nssh-ed25519 BBB theirs\n", 0o600)
    run(request(generation=2), host)
    assert ("usermod", "--lock", "--expiredate", "1", "deploy") in host.ran
    assert host.text("/home/deploy/.ssh/authorized_keys") == "# by hand\nssh-ed25519 BBB theirs\n"


def test_a_path_moves_from_one_app_to_another_without_being_deleted(host: FakeHost) -> None:
    shared = wanted("file", path="/etc/shared", content="s")
    run(request(shared, app="old"), host)
    events, _ = run(request(app="old", generation=2, elsewhere={shared.id: "new"}), host)
    assert actions(events) == {shared.id: "left"}
    _, done = run(request(shared, app="new", generation=2), host)
    assert (done.changed, set(done.resources)) == (0, {shared.id})
    run(request(app="old", generation=3), host)
    assert host.text("/etc/shared") == "s"


def test_a_path_that_changes_its_kind_is_not_deleted_afterwards(host: FakeHost) -> None:
    run(request(wanted("link", path="/etc/a", target="b")), host)
    _, done = run(request(wanted("file", path="/etc/a", content="text"), generation=2), host)
    assert (done.status, host.text("/etc/a")) == ("converged", "text")
    assert set(done.resources) == {"file:/etc/a"}


def test_two_apps_that_both_want_a_path_are_told(host: FakeHost) -> None:
    one = request(wanted("file", path="/etc/a", content="one"), app="one")
    run(one, host)
    run(request(wanted("file", path="/etc/a", content="two"), app="two"), host)
    _, done = run(one, host)
    assert (done.code, host.text("/etc/a")) == ("two-claims", "two")


def test_another_fleets_path_is_an_error(host: FakeHost) -> None:
    wish = request(wanted("file", path="/etc/a", content="a"))
    run(wish, host)
    _, done = run(replace(wish, fleet="other"), host)
    assert (done.status, done.code) == ("failed", "foreign-path")
    assert "belongs to web of fleet fleet, host host" in done.error


def test_pruning_touches_only_the_own_fleets_things(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="a")), host)
    run(replace(request(remove=True), fleet="other"), host)
    assert host.text("/etc/a") == "a"


def test_an_app_that_left_the_host_is_pruned_and_forgotten(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/a", content="a"), wanted("command", argv=["seed"])), host)
    _, done = run(request(generation=2, remove=True), host)
    assert (done.status, dict(done.resources), host.text("/etc/a")) == ("converged", {}, None)
    assert read_ledger(host, "fleet", "host").apps == {}


def test_a_purged_directory_keeps_what_is_declared(host: FakeHost) -> None:
    for name in ("ours", "theirs"):
        host.file(f"/etc/conf.d/{name}", name)
    wish = request(
        wanted("directory", path="/etc/conf.d", purge=True), wanted("file", path="/etc/conf.d/ours", content="ours")
    )
    _, done = run(replace(wish, adopt="replace"), host)
    assert (done.status, host.listdir("/etc/conf.d")) == ("converged", ["ours"])
