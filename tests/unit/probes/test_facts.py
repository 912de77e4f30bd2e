"""Facts are stable, plain and complete."""

import json
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from reconciler.probes.facts import facts
from reconciler.resources.machine import facts as resources_facts
from reconciler.resources.machine.facts import operating_system

UBUNTU = """\
PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
# LOGO=none

not a field
"""


def os_release(tmp_path: Path, text: str) -> dict[str, str]:
    (tmp_path / "os-release").write_text(text)
    return dict(operating_system([tmp_path / "none", tmp_path / "os-release"]))


def test_looking_twice_gives_the_same_json() -> None:
    assert json.dumps(facts()) == json.dumps(facts())


def test_every_fact_is_there_in_sorted_order() -> None:
    found = facts()
    names = ["addresses", "architecture", "cores", "hostname", "kernel", "memory_bytes", "os", "python"]
    assert list(found) == names
    assert list(found["os"]) == ["codename", "family", "id", "name", "version"]
    assert found["cores"] >= 1
    assert found["memory_bytes"] > 1 << 20
    assert all(found[name] for name in ("architecture", "hostname", "kernel", "python"))


def test_the_operating_system_is_what_os_release_says(tmp_path: Path) -> None:
    assert os_release(tmp_path, UBUNTU) == {
        "codename": "noble",
        "family": "debian",
        "id": "ubuntu",
        "name": "Ubuntu 24.04.1 LTS",
        "version": "24.04",
    }


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("ID=debian", "debian"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'", "debian"),
        ('ID=rocky\nID_LIKE="rhel centos fedora"', "rhel"),
        ("ID=fedora", "fedora"),
        ('ID=opensuse-leap\nID_LIKE="suse opensuse"', "suse"),
        ("ID=alpine", "alpine"),
        ("ID=nixos", "nixos"),
        ('ID="broken', '"broken'),
        ("", "linux"),
    ],
)
def test_a_family_groups_what_is_managed_alike(tmp_path: Path, text: str, family: str) -> None:
    assert os_release(tmp_path, text)["family"] == family


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (r'"One \"two\" \$3"', 'One "two" $3'),
        ("'One two'", "One two"),
        ("One", "One"),
        ('""', ""),
        ('"', '"'),
    ],
)
def test_a_name_is_read_as_a_shell_would(tmp_path: Path, value: str, name: str) -> None:
    assert os_release(tmp_path, f"PRETTY_NAME={value}")["name"] == name


def test_a_machine_without_os_release_still_has_facts(tmp_path: Path) -> None:
    assert operating_system([tmp_path / "none"])["id"] == "linux"


def test_addresses_are_those_by_which_others_reach_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    ipv4, ipv6, packet = 2, 10, 17
    interfaces = {
        "lo": [(ipv4, "127.0.0.1"), (ipv6, "::1")],
        "eth1": [(ipv6, "2001:db8::2"), (ipv4, "192.0.2.10"), (ipv6, "fe80::1%eth1"), (packet, "02:fc:00:00:00:01")],
        "eth0": [(ipv4, "192.0.2.9"), (ipv4, "169.254.3.4"), (ipv4, "192.0.2.10")],
    }
    listed = {
        name: [SimpleNamespace(family=family, address=address) for family, address in addresses]
        for name, addresses in interfaces.items()
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: listed)
    assert facts()["addresses"] == ["192.0.2.9", "192.0.2.10", "2001:db8::2"]


def test_addresses_that_the_kernel_replaces_every_day_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [SimpleNamespace(family=10, address=address) for address in ("2001:db8::1", "2001:db8::2")]
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": listed})
    table = (
        "20010db8000000000000000000000001 02 40 00 01     eth0\n20010db8000000000000000000000002 02 40 00 80     eth0\n"
    )
    read = resources_facts._read
    monkeypatch.setattr(resources_facts, "_read", lambda path: table if path == "/proc/net/if_inet6" else read(path))
    assert facts()["addresses"] == ["2001:db8::2"]


def test_a_machine_knows_its_addresses_from_the_kernel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {
        "/proc/net/fib_trie": "".join(
            f"|-- {address}\n /32 host LOCAL\n" for address in ("10.0.0.9", "127.0.0.1", "9.0.0.1")
        ),
        "/proc/net/if_inet6": "00000000000000000000000000000001 01 80 10 80 lo\n"
        "fe800000000000000000000000000001 02 40 20 80 eth0\n"
        "20010db8000000000000000000000001 02 40 00 80 eth0\n",
    }
    read = resources_facts._read
    monkeypatch.setattr(resources_facts, "_read", lambda path: tables.get(str(path)) or read(path))
    assert resources_facts.facts()["addresses"] == ["9.0.0.1", "10.0.0.9", "2001:db8::1"]


def test_a_machine_says_the_same_of_itself_without_libraries() -> None:
    assert resources_facts.facts() == facts()
