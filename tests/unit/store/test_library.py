"""The Lua files keep their house rules: a documented header, and every key inside the slot that was handed in."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from reconciler.store.library import library

FILES = {
    file.name: file.read_text()
    for file in resources.files("reconciler.store").joinpath("functions").iterdir()
    if file.name.endswith(".lua") and not file.name.startswith("_")
}
CALL = re.compile(r"redis\.call\('(\w+)'(?:, ([^,)]+))?")
KEY = re.compile(r"^(slot \.\. |KEYS\[1\]|key$|lease$|record$|queue$|numbers$|observed$|desired$|index$)")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_function_documents_its_keys_arguments_and_reply(name: str) -> None:
    header = [line for line in FILES[name].splitlines() if line.startswith("--")]
    assert [word for word in ("KEYS", "ARGV", "Reply") if any(line.startswith(f"-- {word}") for line in header)] == (
        ["KEYS", "ARGV", "Reply"]
    )


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_function_touches_only_keys_of_its_slot(name: str) -> None:
    outside = [key for command, key in CALL.findall(FILES[name]) if command != "TIME" and not KEY.match(key)]
    assert outside == []


def test_every_file_is_registered_under_its_name_and_the_version_is_that_of_the_code() -> None:
    registered = re.findall(r"register_function\('reconciler_(\w+)'", library().code)
    assert sorted(registered) == sorted(name.removesuffix(".lua") for name in FILES)
    assert re.fullmatch(r"[0-9a-f]{16}", library().version)
    assert f"return '{library().version}'" in library().code
