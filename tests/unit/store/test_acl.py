"""The rules of a host's user: all that the functions and an agent need, and no more."""

from __future__ import annotations

import re

import pytest

from reconciler.store.acl import IN_FUNCTIONS, rules, setuser, user_name
from reconciler.store.library import library


def test_everything_that_the_functions_call_is_allowed() -> None:
    called = {name.lower() for name in re.findall(r"redis\.call\('([A-Z]+)'", library().code)}
    assert called == set(IN_FUNCTIONS.split())


def test_a_user_reaches_one_slot_and_reads_bundles() -> None:
    words = rules("web-1", (7, 2))
    assert [word for word in words if "~" in word] == ["~rc:{web-1}:*", "%R~rc:bundle:{*}"]
    assert words[:2] == ("reset", "on")
    assert "-@all" in words
    assert not [word for word in words if word.startswith("+@")]


@pytest.mark.parametrize(
    "forbidden", ["eval", "evalsha", "script", "function", "keys", "scan", "config", "acl", "info"]
)
def test_nothing_reaches_beyond_keys(forbidden: str) -> None:
    assert not [word for word in rules("web-1", (9, 1)) if word.lstrip("+").partition("|")[0] == forbidden]


@pytest.mark.parametrize(("version", "known"), [((7, 0), False), ((7, 2), True), ((9, 1), True)])
def test_a_subcommand_is_named_only_where_the_server_knows_it(version: tuple[int, ...], *, known: bool) -> None:
    assert ("+client|setinfo" in rules("web-1", version)) is known


def test_only_a_cluster_is_asked_where_its_slots_are() -> None:
    assert "+cluster|slots" not in rules("web-1", (7, 0), clustered=False)


def test_the_whole_command() -> None:
    command = setuser("web-1", ("reset", "on"), "#abc")
    assert command == ("ACL", "SETUSER", user_name("web-1"), "reset", "on", "#abc")
