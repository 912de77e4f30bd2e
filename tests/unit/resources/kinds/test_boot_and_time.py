"""cron, sysctl and mount: what holds now and what holds after the next boot agree, and go back together."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.resources.machine.system import Access, Completed
from reconciler.resources.protocol import Wanted
from reconciler.resources.tools import fstab
from reconciler.resources.tools.fstab import Mounted
from tests.fakes.requests import actions, look, request, run, wanted
from tests.fakes.system import FakeHost

NEVER = {"command": {"argv": ["never"]}, "within": "0s"}
SWAPPINESS = "/proc/sys/vm/swappiness"
KEPT = "/etc/sysctl.d/99-zz-vm.swappiness.conf"
DATA: dict[str, Any] = {"path": "/srv/data", "device": "/dev/vdb1", "fstype": "ext4"}
FSTAB = "# by hand\n/dev/vda1 / ext4 defaults 0 1\n"


@pytest.fixture
def host() -> FakeHost:
    host = FakeHost()
    host.answers["never",] = Completed(1)
    host.file(SWAPPINESS, "60\n")
    host.file("/etc/fstab", FSTAB)
    return host


def data(**fields: Any) -> Wanted:
    return wanted("mount", **DATA | fields)


# -- cron


def test_a_cron_entry_comes_changes_and_goes(host: FakeHost) -> None:
    entry = wanted("cron", name="rotate", schedule="0  3 * * *", command="date +%F", user="root")
    run(request(entry), host)
    assert (host.text("/etc/cron.d/rotate") or "").splitlines()[1:] == [r"0 3 * * * root date +\%F"]
    _, done = run(request(wanted("cron", name="rotate", schedule="@daily", command="date"), generation=2), host)
    assert (done.changed, (host.text("/etc/cron.d/rotate") or "").splitlines()[1:]) == (1, ["@daily root date"])
    events, _ = run(request(generation=3), host)
    assert (actions(events), host.text("/etc/cron.d/rotate")) == ({"cron:rotate": "delete"}, None)


def test_a_cron_entry_of_somebody_else_is_left_alone(host: FakeHost) -> None:
    host.file("/etc/cron.d/rotate", "theirs")
    _, done = run(request(wanted("cron", name="rotate", schedule="@daily", command="x")), host)
    assert (done.code, done.error) == ("not-ours", "cron:rotate: /etc/cron.d/rotate exists, differs and is not ours")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "a.b"}, "name: cron reads only files whose names have letters, digits, - and _"),
        ({"schedule": "0 0 0 0"}, "schedule: cron takes five fields, not 4"),
        ({"command": "a\nb"}, "command: cron takes one line of at most 900 characters"),
        ({"command": r"date +\%F"}, "command: % is escaped for cron by itself"),
        ({"user": "a b"}, "user must be a single word"),
    ],
)
def test_what_cron_would_misread_is_refused(host: FakeHost, fields: dict[str, str], told: str) -> None:
    wish: dict[str, Any] = {"name": "rotate", "schedule": "@daily", "command": "x", **fields}
    _, done = run(request(wanted("cron", **wish)), host)
    assert done.code == "invalid-field"
    assert done.error.endswith(told)


def test_a_cron_user_has_to_exist(host: FakeHost) -> None:
    _, done = run(request(wanted("cron", name="x", schedule="@daily", command="x", user="nobody-here")), host)
    assert (done.code, host.text("/etc/cron.d/x")) == ("no-such-user", None)


# -- sysctl


def test_a_parameter_holds_now_and_at_the_next_boot(host: FakeHost) -> None:
    wish = request(wanted("sysctl", key="vm.swappiness", value=10))
    run(wish, host)
    assert (host.text(SWAPPINESS), (host.text(KEPT) or "").splitlines()[1:]) == ("10\n", ["vm/swappiness = 10"])
    host.file(SWAPPINESS, "60\n")
    assert look(wish, host)[1].status == "drifted"
    run(wish, host)
    assert host.text(SWAPPINESS) == "10\n"
    run(request(generation=2), host)
    assert (host.text(SWAPPINESS), host.text(KEPT)) == ("10\n", None), "until the next boot"


def test_a_rolled_back_parameter_has_its_old_value(host: FakeHost) -> None:
    before = host.tree()
    _, done = run(request(wanted("sysctl", key="vm.swappiness", value=10), health=(NEVER,)), host)
    assert (done.status, host.tree()) == ("rolled-back", before)


def test_what_the_kernel_refuses_is_not_kept_for_the_next_boot(host: FakeHost) -> None:
    host.answers["tee", SWAPPINESS] = Completed(1, stderr="tee: Invalid argument")
    _, done = run(request(wanted("sysctl", key="vm.swappiness", value=-1)), host)
    assert (done.code, host.text(KEPT)) == ("command-failed", None)
    _, done = run(request(wanted("sysctl", key="vm.no_such", value=1), generation=2), host)
    assert (done.code, done.error) == ("no-such-parameter", "sysctl:vm.no_such: the kernel has no vm.no_such")


@pytest.mark.parametrize("key", ["swappiness", "vm..swappiness", "../etc/passwd", "vm/../../etc", "vm.x y", "/vm/x"])
def test_what_is_no_key_of_the_kernel_is_refused(host: FakeHost, key: str) -> None:
    assert run(request(wanted("sysctl", key=key, value=1)), host)[1].code == "invalid-field"


# -- mount


def test_a_mount_comes_with_its_place_and_its_line(host: FakeHost) -> None:
    wish = request(data(options="noatime"))
    run(wish, host)
    assert host.mounts == {"/srv/data": ("/dev/vdb1", "ext4", "noatime")}
    assert host.text("/etc/fstab") == f"{FSTAB}/dev/vdb1 /srv/data ext4 noatime 0 0\n"
    assert host.entries["/srv/data"].mode == 0o755
    assert ("systemctl", "daemon-reload") in host.ran
    assert run(wish, host)[1].changed == 0


def test_what_cannot_be_mounted_never_comes_into_fstab(host: FakeHost) -> None:
    host.answers["mount", "-t", "ext4", "-o", "defaults", "/dev/vdb1", "/srv/data"] = Completed(32, stderr="no device")
    _, done = run(request(data()), host)
    assert done.code == "mount-failed"
    assert done.error == "mount:/srv/data: mount of /srv/data failed: exit code 32: no device"
    assert host.text("/etc/fstab") == FSTAB


def test_a_mount_that_nobody_else_would_see_is_refused(host: FakeHost) -> None:
    for process, namespace in (("1", "mnt:[1]"), ("self", "mnt:[2]")):
        host.file(f"/proc/{process}/ns/any", "")
        host.symlink(f"/proc/{process}/ns/mnt", namespace)
    _, done = run(request(data()), host)
    assert (done.status, done.code, host.mounts) == ("failed", "private-mounts", {})


def test_other_options_are_set_on_the_running_mount(host: FakeHost) -> None:
    run(request(data(options="noatime")), host)
    run(request(data(options="ro,noexec"), generation=2), host)
    assert host.commands("mount")[-1] == (
        *("mount", "-o", "remount,suid,dev,async,relatime,ro,noexec"),
        *("/dev/vdb1", "/srv/data"),
    )
    assert not host.commands("umount")


def test_another_device_is_mounted_in_place_of_the_first_and_back_in_a_rollback(host: FakeHost) -> None:
    run(request(data(options="noatime")), host)
    before = (host.mounts, host.tree())
    other = data(device="/dev/vdc1")
    _, done = run(request(other, generation=2, health=(NEVER,)), host)
    assert (done.status, (host.mounts, host.tree())) == ("rolled-back", before)
    run(request(other, generation=3), host)
    assert host.mounts == {"/srv/data": ("/dev/vdc1", "ext4", "defaults")}


def test_a_mount_that_leaves_is_unmounted_and_its_place_stays(host: FakeHost) -> None:
    run(request(data()), host)
    run(request(generation=2), host)
    assert (host.mounts, host.text("/etc/fstab"), "/srv/data" in host.entries) == ({}, FSTAB, True)


def test_a_foreign_mount_is_taken_over_only_if_told_so_and_then_stays(host: FakeHost) -> None:
    host.run_words("mount", "-t", "ext4", "-o", "rw", "/dev/vdc1", "/srv/data")
    _, done = run(request(data()), host)
    assert (done.code, host.mounts["/srv/data"][0]) == ("not-ours", "/dev/vdc1")
    run(request(data(), adopt="replace"), host)
    assert host.mounts["/srv/data"][0] == "/dev/vdb1"
    events, _ = run(request(generation=2), host)
    assert (actions(events), host.mounts["/srv/data"][0]) == ({"mount:/srv/data": "left"}, "/dev/vdb1")


def test_a_device_is_the_same_under_all_its_names(host: FakeHost) -> None:
    host.file("/dev/vdb1", "")
    host.mkdir("/dev/disk", Access(0, 0, 0o755))
    host.mkdir("/dev/disk/by-uuid", Access(0, 0, 0o755))
    host.symlink("/dev/disk/by-uuid/1-2", "../../vdb1")
    live = Mounted("/dev/vdb1", "ext4", "rw")
    same = {
        device: fstab.same_device(host, Mounted(device, "ext4", "defaults"), live)
        for device in ("/dev/vdb1", "UUID=1-2", "/dev/disk/by-uuid/1-2", "UUID=unknown-yet", "/dev/vdc1", "nas:/data")
    }
    assert same == {
        "/dev/vdb1": True,
        "UUID=1-2": True,
        "/dev/disk/by-uuid/1-2": True,
        "UUID=unknown-yet": True,
        "/dev/vdc1": False,
        "nas:/data": False,
    }
    assert fstab.same_device(host, Mounted("/srv/a", "none", "bind"), live), "the kernel names the device below"


def test_a_place_that_waits_for_its_first_use_is_as_wanted(host: FakeHost) -> None:
    run(request(data(options="noauto,x-systemd.automount,noexec")), host)
    host.run_words("mount", "-t", "autofs", "-o", "rw,relatime", "systemd-1", "/srv/data")
    wish = request(data(options="noauto,x-systemd.automount,noexec"), generation=2)
    assert look(wish, host)[1].status == "in-sync"
