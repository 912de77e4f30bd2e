"""Killed at any step, then run again: the same end state as without the kill."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.resources.applying import engine
from reconciler.resources.machine.system import Access, Completed, System
from reconciler.resources.protocol import Request, Wanted
from reconciler.resources.records.book import read_ledger
from reconciler.resources.records.ledger import AppRecord, owned_to_json
from tests.fakes.archives import sha256, tar
from tests.fakes.disk import Killed
from tests.fakes.requests import request, run, trial_of, undo, wanted
from tests.fakes.system import FakeHost, FakePackage, FakeService


def settled(system: System) -> dict[str, Any]:
    """The ledger in a form to compare: which write brought something there is chance, that one did is not."""
    ledger = read_ledger(system, "fleet", "host")
    return {
        "apps": {name: _record(record, system) for name, record in ledger.apps.items()},
        "generation": ledger.generation,
    }


def _record(record: AppRecord, system: System) -> dict[str, Any]:
    serials = {key: owned.serial for app in _apps(system) for key, owned in app.owned.items()}
    return {
        "status": record.status,
        "digest": record.digest,
        "error": record.error,
        "rejected": record.rejected,
        "parents": sorted(record.parents),
        "unfinished": record.unfinished,
        "owned": {
            key: {**owned_to_json(owned), "serial": owned.serial > 0, "backup": _backup(owned.backup, system)}
            for key, owned in record.owned.items()
        },
        "served": {
            service: {verb: {key: serials.get(key) == at for key, at in known.items()} for verb, known in verbs.items()}
            for service, verbs in record.services.items()
        },
    }


def _apps(system: System) -> list[AppRecord]:
    return list(read_ledger(system, "fleet", "host").apps.values())


def _backup(name: str, system: System) -> bytes | None:
    found = system.read(f"{system.state}/backups/{name}") if name else None
    return found[1] if found else None


def outcome(host: FakeHost) -> dict[str, Any]:
    """Everything that a person could tell two hosts apart by."""
    services = {name: (each.running, each.enabled, each.serving) for name, each in host.services.items()}
    own_files = sorted(path for path in host.entries if path.startswith(host.state))
    own_files = [path for path in own_files if "/backups/" not in path]
    return {
        "tree": host.tree(),
        "own files": own_files,
        "backups": len([path for path in host.entries if "/backups/" in path]),
        "services": services,
        "packages": host.packages,
        "mounts": host.mounts,
        "ledger": settled(host),
    }


KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\nA\n"
ARCHIVES = (tar({"bin/app": "one", "doc/readme": "r"}), tar({"bin/app": "two", "lib/extra": "e"}))


def unpacked(version: int) -> Wanted:
    """An archive below /opt/app."""
    content = ARCHIVES[version - 1]
    return wanted("archive", source=f"https://example.org/{version}", sha256=sha256(content), path="/opt/app")


def prepared() -> FakeHost:
    """A host with an app on it, foreign files, and a package to come."""
    host = FakeHost()
    host.reads = {"nginx": ("/etc/nginx/site", "/etc/nginx/conf.d/extra", "/etc/nginx/conf.d/old")}
    host.repository["nginx"] = FakePackage(files={"/etc/nginx/nginx.conf": b"stock\n"}, services=("nginx",))
    host.services["cron"] = FakeService(running=False)
    host.file("/etc/foreign", "foreign\n")
    host.file("/proc/sys/vm/swappiness", "60\n")
    host.downloads = {"https://example.org/1": ARCHIVES[0], "https://example.org/2": ARCHIVES[1]}
    host.file("/etc/hosts", "127.0.0.1 localhost\n")
    run(
        request(
            wanted("package", name="nginx"),
            wanted("file", path="/etc/nginx/site", content="one\n", called="site"),
            wanted("file", path="/etc/nginx/conf.d/old", content="old\n"),
            wanted("link", path="/srv/app/current", target="v1"),
            wanted("service", name="nginx", reloadOn=["site", "path:/etc/nginx/conf.d/*"]),
            wanted("service", name="cron"),
            wanted("cron", name="rotate", schedule="@daily", command="rotate"),
            wanted("mount", path="/mnt/old", device="tmpfs", fstype="tmpfs"),
            unpacked(1),
        ),
        host,
    )
    run(request(wanted("file", path="/etc/moving", content="moving\n"), app="other"), host)
    return host


def next_version(**options: Any) -> Request:
    """Changes, adds, removes, moves, adopts, and has services to renew."""
    return request(
        wanted("package", name="nginx"),
        wanted("file", path="/etc/nginx/site", content="two\n", called="site", mode="0600"),
        wanted("file", path="/etc/nginx/conf.d/extra", content="extra\n"),
        wanted("file", path="/etc/foreign", content="ours\n"),
        wanted("file", path="/etc/moving", content="moved\n"),
        wanted("file", path="/srv/app/current", content="a file now\n"),
        wanted("file", path="/etc/hosts", content="", state="absent"),
        wanted("directory", path="/srv/data/deep", mode="0700"),
        wanted("line", path="/etc/foreign.conf", line="x=1"),
        wanted("cron", name="rotate", schedule="@hourly", command="rotate"),
        wanted("sysctl", key="vm.swappiness", value=10),
        wanted("mount", path="/mnt/new", device="tmpfs", fstype="tmpfs", options="ro"),
        wanted("repository", name="extra", uri="https://example.org", suites=["./"], key=KEY),
        unpacked(2),
        wanted("service", name="nginx", reloadOn=["site", "path:/etc/nginx/conf.d/*"]),
        generation=2,
        adopt="replace",
        **options,
    )


def unhealthy() -> Request:
    """The same with a health check that never holds, so that it is rolled back."""
    return next_version(health=({"command": {"argv": ["never"]}, "within": "0s"},))


def refused_by_check() -> Request:
    """A configuration that the service's own check refuses."""
    return request(
        wanted("file", path="/etc/nginx/site", content="broken\n", called="site"),
        wanted("service", name="nginx", reloadOn=["site"], check=["never"]),
        generation=2,
    )


@pytest.mark.parametrize(
    "wish",
    [next_version, unhealthy, refused_by_check, lambda: request(generation=2, remove=True)],
    ids=["converges", "rolled back by health", "rolled back by a check", "removed"],
)
def test_killed_before_every_change_and_run_again_ends_the_same(wish: Callable[[], Request]) -> None:
    start = prepared()
    start.answers["never",] = Completed(1)
    expected = copy.deepcopy(start)
    _, done = run(wish(), expected)
    steps = expected.steps - start.steps
    assert steps > 5, done
    for number in range(1, steps + 1):
        host = copy.deepcopy(start)
        kill(host, engine.apply(wish(), host), after=number)
        _, again = run(wish(), host)
        assert again.status == done.status, number
        assert outcome(host) == outcome(expected), f"killed before change {number} of {steps}"


def test_killed_again_and_again_still_ends_the_same() -> None:
    start = prepared()
    expected = copy.deepcopy(start)
    run(next_version(), expected)
    host = copy.deepcopy(start)
    for number in range(1, 25):
        kill(host, engine.apply(next_version(), host), after=number)
    run(next_version(), host)
    assert outcome(host) == outcome(expected)


def test_a_trial_taken_back_leaves_the_host_as_it_was() -> None:
    host = prepared()
    host.mkdir("/mnt/new", Access(0, 0, 0o755))
    before = outcome(host)
    run(next_version(confirm_seconds=60), host)
    undo(host, trial_of(host))
    after = outcome(host)
    for part in ("tree", "packages", "mounts", "services"):
        assert after[part] == before[part]
    known, web = before["ledger"]["apps"]["web"], after["ledger"]["apps"]["web"]
    assert {name: web[name] for name in known if name not in {"status", "error"}} == {
        name: known[name] for name in known if name not in {"status", "error"}
    }
    assert after["ledger"]["apps"]["other"] == before["ledger"]["apps"]["other"]


def test_killed_in_the_midst_of_an_undo_and_undone_again_ends_the_same() -> None:
    start = prepared()
    run(next_version(confirm_seconds=60), start)
    expected = copy.deepcopy(start)
    trial = trial_of(start)
    undo(expected, trial)
    steps = expected.steps - start.steps
    assert steps > 20
    for number in range(1, steps + 1, 2):
        host = copy.deepcopy(start)
        kill(host, engine.undo(host, "fleet", "host", "web", trial), after=number)
        undo(host, trial)
        assert outcome(host) == outcome(expected), f"killed before change {number} of {steps}"


def test_killed_in_an_apply_on_trial_and_taken_back_is_as_it_was() -> None:
    start = prepared()
    start.mkdir("/mnt/new", Access(0, 0, 0o755))
    whole = copy.deepcopy(start)
    run(next_version(confirm_seconds=60), whole)
    steps = whole.steps - start.steps
    undo(whole, trial_of(whole))
    for number in range(1, steps, 4):
        host = copy.deepcopy(start)
        kill(host, engine.apply(next_version(confirm_seconds=60), host), after=number)
        trial = read_ledger(host, "fleet", "host").apps["web"].trial
        if trial is None:
            assert host.tree() == start.tree(), "before the first change there is nothing to take back"
        else:
            undo(host, trial)
            assert host.tree(below="/etc") == whole.tree(below="/etc"), f"killed before change {number} of {steps}"


def test_killed_in_an_undo_and_applied_again_ends_as_if_it_had_never_been_undone() -> None:
    start = prepared()
    run(next_version(confirm_seconds=60), start)
    trial = trial_of(start)
    expected = copy.deepcopy(start)
    run(next_version(), expected)
    undone = copy.deepcopy(start)
    undo(undone, trial)
    for number in range(1, undone.steps - start.steps - 1, 4):
        host = copy.deepcopy(start)
        kill(host, engine.undo(host, "fleet", "host", "web", trial), after=number)
        run(next_version(), host)
        assert outcome(host)["tree"] == outcome(expected)["tree"], f"killed before change {number}"


def kill(host: FakeHost, events: Iterator[object], *, after: int) -> None:
    """Run something that has not begun yet, and let it die before that many changes, if it has so many."""
    host.kill_at = host.steps + after
    try:
        for _ in events:
            pass
    except Killed:
        pass
    host.kill_at = 0


_PATHS = ("/etc/a", "/etc/dir/b", "/etc/dir/sub/c", "/srv/d")
_resource = st.one_of(
    st.builds(
        lambda path, text: wanted("file", path=path, content=text), st.sampled_from(_PATHS), st.sampled_from("xy")
    ),
    st.builds(lambda path, to: wanted("link", path=path, target=to), st.sampled_from(_PATHS), st.sampled_from("xy")),
    st.builds(lambda path: wanted("directory", path=path), st.sampled_from(_PATHS[:1])),
    st.builds(lambda path: wanted("file", path=path, state="absent"), st.sampled_from(_PATHS)),
)
_app = st.lists(_resource, max_size=4, unique_by=lambda each: each.fields["path"])


@settings(max_examples=25)
@given(foreign=st.sets(st.sampled_from(_PATHS)), first=_app, second=_app, fails=st.booleans(), data=st.data())
def test_any_app_killed_at_any_step_ends_as_if_it_had_not_been(
    foreign: set[str], first: list[Any], second: list[Any], data: st.DataObject, *, fails: bool
) -> None:
    start = FakeHost()
    start.answers["never",] = Completed(1)
    for path in sorted(foreign):
        start.file(path, "foreign")
    run(request(*first, adopt="replace"), start)
    last = [wanted("command", argv=["never"])] if fails else []
    wish = request(*second, *last, generation=2, adopt="replace")
    expected = copy.deepcopy(start)
    run(wish, expected)
    number = data.draw(st.integers(1, max(1, expected.steps - start.steps)), label="killed before change")
    host = copy.deepcopy(start)
    kill(host, engine.apply(wish, host), after=number)
    _, done = run(wish, host)
    assert outcome(host) == outcome(expected)
    steps = host.steps
    if done.status == "converged":
        run(wish, host)
        assert host.steps == steps, "and a further run has nothing to do"


def test_killed_by_the_kernel_between_any_two_system_calls_ends_the_same(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.fakes.killed_apply", str(tmp_path), "5"]
    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    expected = real_tree(tmp_path / "never-killed")
    killed = sorted(tmp_path.glob("killed-*"))
    assert len(killed) > 15
    for root in killed:
        assert real_tree(root) == expected, f"{root.name} of {done.stdout.strip()} system calls"


def real_tree(root: Path) -> dict[str, Any]:
    """A sandbox's files, and its ledger without moments and numbers of writes."""
    state = root / "var/lib/reconciler"
    paths = [path for path in sorted(root.rglob("*")) if state not in path.parents and path != state]
    tree = {
        str(path.relative_to(root)): (path.lstat().st_mode, path.read_text() if path.is_file() else "")
        for path in paths
    }
    ledger = json.loads((state / "ledger.json").read_text())["fleets"]["fleet"]["host"]
    for record in ledger["apps"].values():
        record.pop("changed_at")
        for owned in record["owned"].values():
            owned["serial"] = owned.get("serial", 0) > 0
    ledger.pop("serial")
    return {"tree": tree, "ledger": ledger, "own": sorted(path.name for path in state.iterdir())}
