"""What goes to hosts is packed once for each version of the code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.transport import shipment as shipping

BOXES = b"what was packed " * 1000


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file in which it is kept, beside bytecode in a directory of the test's own."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(shipping, "_boxes", lambda: BOXES)
    shipping._shipment.cache_clear()
    source = Path(shipping.__file__)
    yield tmp_path / source.parent.relative_to("/") / f"{source.stem}.{sys.implementation.cache_tag}.packed"
    shipping._shipment.cache_clear()


def test_the_next_command_finds_it_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = _by_another_command()

    monkeypatch.setattr(shipping, "_boxes", lambda: b"packed again")
    assert _by_another_command() == packed
    assert packed.endswith(BOXES)


@pytest.mark.parametrize("damage", [b"", b"cut off"])
def test_what_is_damaged_is_packed_again(kept: Path, damage: bytes) -> None:
    packed = _by_another_command()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-100] + damage)

    assert _by_another_command() == packed
    assert kept.read_bytes() == whole


def test_another_version_of_the_code_packs_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _by_another_command()

    monkeypatch.setattr(shipping, "code_version", lambda: "another")
    monkeypatch.setattr(shipping, "_boxes", lambda: b"packed again")
    assert _by_another_command().endswith(b"packed again")


def test_another_start_script_is_sent_with_what_is_packed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _by_another_command()

    monkeypatch.setattr(shipping, "_START", "another")
    monkeypatch.setattr(shipping, "_boxes", lambda: b"packed again")
    assert _by_another_command() == b"'another'\npacked again"


def test_nothing_is_kept_where_no_bytecode_is_wanted(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    assert _by_another_command().endswith(BOXES)
    assert not kept.exists()


def _by_another_command() -> bytes:
    shipping._shipment.cache_clear()
    return shipping.shipment()
