"""Wheels are fetched once for each kind of host, from where pip is told to look; here a folder."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from reconciler.enrolment.probe import Platform
from reconciler.enrolment.wheelhouse import Wheelhouse
from reconciler.errors import Unavailable

BOOKWORM = Platform("/usr/bin/python3.11", (3, 11, 2), "x86_64", "glibc 2.36")
TRIXIE_ARM = Platform("/usr/bin/python3.13", (3, 13, 5), "aarch64", "glibc 2.41")
WHEELS = (
    "thing-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
    "thing-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
    "thing-1.0-cp313-cp313-manylinux_2_28_aarch64.whl",
)


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A requirement, and the folder where its wheels are found."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in WHEELS:
        with zipfile.ZipFile(shelf / name, "w") as wheel:
            wheel.writestr(
                "thing-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n\n{name}"
            )
            wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    hashes = [f"--hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in shelf.iterdir()]
    return f"thing==1.0 {' '.join(hashes)}\n"


def test_a_host_gets_the_wheels_of_its_python_and_architecture(tmp_path: Path, wanted: str) -> None:
    house = Wheelhouse(tmp_path / "cache")
    assert [wheel.name for wheel in house.wheels(wanted, BOOKWORM)] == [WHEELS[0]]
    assert [wheel.name for wheel in house.wheels(wanted, TRIXIE_ARM)] == [WHEELS[2]]


def test_what_is_in_the_cache_needs_no_index(tmp_path: Path, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = Wheelhouse(tmp_path / "cache").wheels(wanted, BOOKWORM)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert Wheelhouse(tmp_path / "cache").wheels(wanted, BOOKWORM) == fetched


def test_an_older_lock_leaves_the_cache(tmp_path: Path, wanted: str) -> None:
    house = Wheelhouse(tmp_path / "cache")
    house.wheels(wanted, BOOKWORM)
    house.wheels(f"# newer\n{wanted}", BOOKWORM)
    assert len(list((tmp_path / "cache/wheels").iterdir())) == 1


def test_where_there_is_no_wheel_the_error_names_the_platform_and_the_ways_out(tmp_path: Path, wanted: str) -> None:
    riscv = Platform("/usr/bin/python3", (3, 13, 5), "riscv64", "glibc 2.41")
    house = Wheelhouse(tmp_path / "cache")
    with pytest.raises(Unavailable, match=r"Python 3.13 on riscv64 with glibc 2.41: .*thing==1.0.*--online"):
        house.wheels(wanted, riscv)
    assert list((tmp_path / "cache/wheels").iterdir()) == []


def test_a_file_with_another_hash_than_the_locks_is_refused(tmp_path: Path, wanted: str) -> None:
    with (tmp_path / "shelf" / WHEELS[0]).open("ab") as wheel:
        wheel.write(b"tampered")
    with pytest.raises(Unavailable, match=r"(?i)hash"):
        Wheelhouse(tmp_path / "cache").wheels(wanted, BOOKWORM)
