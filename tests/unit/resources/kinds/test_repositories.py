"""Package repositories: tried before they are kept, with their key, for apt and dnf."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.resources.machine.system import Completed
from reconciler.resources.protocol import Wanted
from tests.fakes.requests import actions, look, request, run, wanted
from tests.fakes.system import FakeHost, FakePackage

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nA\n-----END PGP PUBLIC KEY BLOCK-----"
NGINX: dict[str, Any] = {"name": "nginx", "uri": "https://nginx.org/debian", "key": KEY}
SUITES: dict[str, Any] = {"suites": ["bookworm"], "components": ["nginx"]}
SOURCES = "/etc/apt/sources.list.d/nginx.sources"
TRY = (
    *("apt-get", "update", "-q", "-o", "Dir::Etc::sourcelist=/run/reconciler-nginx.sources"),
    *("-o", "Dir::Etc::sourceparts=/dev/null", "-o", "APT::Get::List-Cleanup=0"),
    *("-o", "APT::Update::Error-Mode=any", "-o", "DPkg::Lock::Timeout=120"),
)


def nginx(**fields: Any) -> Wanted:
    return wanted("repository", **NGINX | fields)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def test_apt_reads_the_repository_before_a_package_is_installed_from_it(host: FakeHost) -> None:
    host.repository["nginx"] = FakePackage()
    wish = request(nginx(**SUITES), wanted("package", name="nginx"))
    tried: dict[str, str | None] = {}

    def update() -> Completed:
        tried.update({path: host.text(path) for path in host.entries if path.startswith("/run/reconciler")})
        return Completed(0)

    host.answers[TRY] = update
    _, done = run(wish, host)
    assert (done.status, [argv[1] for argv in host.commands("apt-get")]) == (
        "converged",
        ["update", "indextargets", "install"],
    )
    assert host.text(SOURCES) == (
        "# Kept by Reconciler; what is edited here is undone.\n"
        "Types: deb\n"
        "URIs: https://nginx.org/debian\n"
        "Suites: bookworm\n"
        "Components: nginx\n"
        "Signed-By: /etc/apt/keyrings/nginx.asc\n"
    )
    assert host.text("/etc/apt/keyrings/nginx.asc") == f"{KEY}\n"
    kept = (host.text(SOURCES) or "").replace("/etc/apt/keyrings/", "/run/reconciler-")
    assert sorted(tried.items()) == [
        ("/run/reconciler-nginx.asc", f"{KEY}\n"),
        ("/run/reconciler-nginx.sources", kept),
    ]
    assert not [path for path in host.entries if path.startswith("/run/reconciler")]
    assert run(wish, host)[1].changed == 0


def test_what_apt_cannot_use_never_comes_among_its_sources(host: FakeHost) -> None:
    host.answers[TRY] = Completed(100, stderr="E: The repository is not signed.")
    before = host.tree(below="/etc")
    _, done = run(request(nginx(**SUITES)), host)
    assert (done.status, done.code) == ("failed", "repository-failed")
    assert done.error.endswith("cannot use the repository nginx: exit code 100: E: The repository is not signed.")
    assert host.tree(below="/etc") == before


@pytest.mark.parametrize("on_failure", ["rollback", "stop"])
def test_what_contradicts_another_source_goes_again_so_that_apt_goes_on(host: FakeHost, on_failure: str) -> None:
    said = "E: Conflicting values set for option Signed-By regarding source https://nginx.org/debian"
    host.answers["apt-get", "indextargets"] = Completed(100, stderr=said)
    _, done = run(request(nginx(**SUITES), on_failure=on_failure), host)
    assert done.code == "repository-failed"
    assert "Conflicting values" in done.error
    assert host.text(SOURCES) is None


def test_a_secret_key_or_address_does_not_show_in_what_apt_says(host: FakeHost) -> None:
    host.answers[TRY] = Completed(100, stderr="E: https://user:hidden@nginx.org")
    _, done = run(request(replace(nginx(**SUITES), sensitive=True)), host)
    assert "hidden" not in done.error


def test_dnf_has_a_file_of_its_own_kind() -> None:
    host = FakeHost(tool="dnf")
    _, done = run(request(nginx()), host)
    assert done.status == "converged", done
    assert (host.text("/etc/yum.repos.d/nginx.repo") or "").splitlines()[1:] == [
        "[nginx]",
        "name=nginx",
        "baseurl=https://nginx.org/debian",
        "enabled=1",
        "gpgcheck=1",
        "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-nginx",
    ]
    assert host.ran == [("dnf", "--assumeyes", "--quiet", "--repo=nginx", "makecache")]


def test_a_repository_that_leaves_takes_its_key_along(host: FakeHost) -> None:
    run(request(wanted("file", path="/etc/apt/preferences", content="ours")), host)
    before = host.tree()
    wish = wanted("file", path="/etc/apt/preferences", content="ours")
    run(request(wish, nginx(**SUITES), generation=2), host)
    events, _ = run(request(wish, generation=3), host)
    assert actions(events)["repository:nginx"] == "delete"
    assert host.tree() == before


def test_a_pruned_repository_comes_back_with_its_key_in_a_rollback(host: FakeHost) -> None:
    run(request(nginx(**SUITES), wanted("mount", path="/m", device="t", fstype="tmpfs")), host)
    before = host.tree(below="/etc")
    host.answers["umount", "/m"] = Completed(32, stderr="target is busy")
    _, done = run(request(wanted("file", path="/etc/new", content="x"), generation=2), host)
    assert (done.status, done.error.partition(": ")[2]) == ("rolled-back", "exit code 32: target is busy")
    assert host.tree(below="/etc") == before


def test_a_key_of_the_host_has_to_be_there_and_stays(host: FakeHost) -> None:
    wish = nginx(key="/usr/share/keyrings/n.gpg", **SUITES)
    assert run(request(wish), host)[1].code == "no-such-key"
    host.file("/usr/share/keyrings/n.gpg", "key")
    assert run(request(wish, generation=2), host)[1].status == "converged"
    run(request(generation=3), host)
    assert host.text("/usr/share/keyrings/n.gpg") == "key"


def test_a_purged_directory_of_sources_keeps_it(host: FakeHost) -> None:
    host.file("/etc/apt/sources.list.d/old.list", "old")
    purge = wanted("directory", path="/etc/apt/sources.list.d", purge=True)
    wish = request(purge, nginx(**SUITES), adopt="replace")
    run(wish, host)
    assert host.listdir("/etc/apt/sources.list.d") == ["nginx.sources"]
    assert look(wish, host)[1].status == "in-sync"


@pytest.mark.parametrize(
    ("tool", "fields", "told"),
    [
        ("apt-get", {}, "repository nginx: apt needs suites, such as bookworm, or ./ for a repository without any"),
        ("apt-get", {"suites": ["bookworm"]}, "repository nginx: apt needs components, such as main"),
        ("apt-get", {"suites": ["./"], "components": ["x"]}, "repository nginx: a suite that ends with / has no"),
        ("dnf", SUITES, "repository nginx: dnf knows no suites and no components"),
        ("apk", {}, "this host has none of apt-get, dnf"),
        ("apt-get", {"uri": "https://x/\nTrusted: yes"}, "uri must be a single word"),
        ("apt-get", {"suites": ["a b"]}, "suites and components must be single words"),
        ("apt-get", {"name": "../x"}, "name must be letters"),
        ("apt-get", {"key": "nginx.asc"}, "key must be an armoured public key"),
    ],
)
def test_what_the_tool_cannot_be_told_is_refused(tool: str, fields: dict[str, Any], told: str) -> None:
    host = FakeHost(tool=tool)
    _, done = run(request(nginx(**fields)), host)
    assert done.status == "failed"
    assert told in done.error
