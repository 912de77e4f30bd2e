"""Two looks at counters become percentages and rates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.resources.measuring.readings import (
    DiskCounters,
    FilesystemUse,
    InterfaceCounters,
    Readings,
    matters,
    metrics,
)

BEFORE = Readings(
    at=100.0,
    cpu={"user": 10.0, "nice": 0.0, "system": 5.0, "idle": 80.0, "iowait": 5.0, "steal": 0.0},
    cores=2,
    disks={"sda": DiskCounters(1000.0, 0.0, 10.0, 0.0, 1.0)},
    interfaces={"eth0": InterfaceCounters(5000.0, 100.0, 0.0, 0.0, up=True)},
)
AFTER = replace(
    BEFORE,
    at=110.0,
    cpu={"user": 14.0, "nice": 0.0, "system": 6.0, "idle": 92.0, "iowait": 7.0, "steal": 1.0},
    disks={"sda": DiskCounters(3000.0, 500.0, 30.0, 5.0, 3.5)},
    interfaces={"eth0": InterfaceCounters(6000.0, 300.0, 20.0, 0.0, up=True)},
)


def test_processor_time_is_shared_out_and_waiting_is_not_work() -> None:
    found = metrics(BEFORE, AFTER)
    assert found["cpu.percent"] == pytest.approx(30)
    assert found["cpu.user_percent"] == pytest.approx(20)
    assert found["cpu.iowait_percent"] == pytest.approx(10)
    assert found["cpu.steal_percent"] == pytest.approx(5)


def test_counters_become_rates_of_a_second() -> None:
    found = metrics(BEFORE, AFTER)
    assert found["disk.read_bytes_per_second"] == 200
    assert found["disk.busy_percent"] == pytest.approx(25)
    assert found["network.received_bytes_per_second"] == 100
    assert found["interface.sent_bytes_per_second[eth0]"] == 20
    assert found["network.errors_per_second"] == 2


def test_the_first_look_has_no_rates() -> None:
    found = metrics(None, BEFORE)
    assert found["cpu.count"] == 2
    assert not [name for name in found if "per_second" in name or name.startswith("cpu.p")]


def test_a_counter_that_fell_began_anew() -> None:
    restarted = replace(AFTER, interfaces={"eth0": InterfaceCounters(50.0, 0.0, 0.0, 0.0, up=False)})
    found = metrics(BEFORE, restarted)
    assert found["interface.received_bytes_per_second[eth0]"] == 5
    assert found["interface.up[eth0]"] == 0


def test_an_interface_that_has_just_come_has_no_rate_yet() -> None:
    grown = replace(AFTER, interfaces={**AFTER.interfaces, "eth1": InterfaceCounters(9e9, 0.0, 0.0, 0.0, up=True)})
    found = metrics(BEFORE, grown)
    assert "interface.received_bytes_per_second[eth1]" not in found
    assert found["network.received_bytes_per_second"] == 100


def test_the_fullest_filesystem_is_the_disk_and_what_is_reserved_for_root_is_no_room() -> None:
    use = {
        "/": FilesystemUse(total=100.0, used=40.0, free=60.0, inodes=10.0, inodes_free=9.0),
        "/var": FilesystemUse(total=100.0, used=90.0, free=5.0, inodes=0.0, inodes_free=0.0),
    }
    found = metrics(None, replace(BEFORE, filesystems=use))
    assert found["filesystem.percent[/]"] == 40
    assert found["disk.percent"] == found["filesystem.percent[/var]"] == pytest.approx(100 * 90 / 95)
    assert found["filesystem.inodes_percent[/]"] == pytest.approx(10)
    assert "filesystem.inodes_percent[/var]" not in found


def test_a_host_cannot_fill_the_store_with_things() -> None:
    many = {f"eth{number}": InterfaceCounters(0.0, 0.0, 0.0, 0.0, up=True) for number in range(1000)}
    found = metrics(None, replace(BEFORE, interfaces=many, temperatures={"x\n" * 300: 20.0}))
    assert len([name for name in found if name.startswith("interface.up")]) == 64
    (sensor,) = [name for name in found if name.startswith("temperature")]
    assert sensor.isprintable()
    assert len(sensor) < 200


@pytest.mark.parametrize(
    ("mount", "kind", "counts"),
    [
        ("/", "ext4", True),
        ("/var/lib/mysql", "xfs", True),
        ("/tmp", "tmpfs", True),
        ("/", "overlay", True),
        ("/var/lib/docker/overlay2/x/merged", "overlay", False),
        ("/dev/shm", "tmpfs", False),
        ("/run/user/0", "tmpfs", False),
        ("/snap/core/1", "squashfs", False),
        ("/sys/fs/cgroup", "cgroup2", False),
        ("/home", "nfs4", False),
    ],
)
def test_only_filesystems_count_that_people_want_to_hear_of(mount: str, kind: str, *, counts: bool) -> None:
    assert matters(mount, kind) is counts
