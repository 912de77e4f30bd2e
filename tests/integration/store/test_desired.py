from __future__ import annotations

import zlib

import pytest

from reconciler.errors import Refused
from reconciler.model.desired import Bundle, DesiredApp, SignedStatement
from reconciler.store import HostWrite, Store
from reconciler.store.keys import Keys
from tests.integration.store.conftest import Inside

WEBAPP = {
    "mysql_host": "10.0.0.7",
    "mysql_port": 3306,
    "mysql_pass": {"secret": "webapp/mysql_pass"},
    "debug": False,
    "proxy": None,
    "servers": ["a", {"token": {"secret": "t"}}],
}


def host(name: str = "web-1", generation: int = 1, body: bytes = b"one", **apps: dict[str, object]) -> HostWrite:
    desired = {app: DesiredApp(name, app, "b" * 64, '{"config":{}}', "d" * 64, ("p",)) for app in apps}
    return HostWrite(name, SignedStatement(body, b"\x00\xffsignature"), generation, desired, apps)


def as_text(inside: Inside, key: str) -> dict[str, str]:
    reply = inside.link.send("HGETALL", key)
    return {name.decode(): value.decode() for name, value in zip(reply[::2], reply[1::2], strict=True)}


def test_what_was_written_is_read(store: Store) -> None:
    wanted = host(webapp=WEBAPP, mariadb={})
    store.desired.write(1, [wanted])
    found = store.desired.read("web-1")
    assert found
    assert (found.signed, found.generation, found.apps) == (wanted.signed, 1, wanted.apps)


def test_a_host_that_was_never_written_is_unknown(store: Store) -> None:
    assert store.desired.read("web-1") is None
    store.desired.write(1, [host(generation=5)])
    assert store.desired.generations(["web-1", "web-2"]) == {"web-1": 5}


def test_config_reads_as_plain_text_with_secrets_as_references(store: Store, inside: Inside) -> None:
    store.desired.write(1, [host(webapp=WEBAPP)])
    store.desired.write_app_config({"webapp": WEBAPP})
    text = {
        "mysql_host": "10.0.0.7",
        "mysql_port": "3306",
        "mysql_pass": "secret:webapp/mysql_pass",
        "debug": "false",
        "proxy": "null",
        "servers": '["a",{"token":"secret:t"}]',
    }
    assert as_text(inside, "rc:{web-1}:config:webapp") == text
    assert as_text(inside, "rc:app:{webapp}") == text


def test_config_that_is_gone_leaves_no_field_behind(store: Store, inside: Inside) -> None:
    store.desired.write(1, [host(webapp={"a": 1, "b": 2}, mariadb={"c": 3})])
    store.desired.write(1, [host(generation=2, body=b"two", webapp={"b": 2})])
    store.desired.write_app_config({"webapp": {"a": 1}, "mariadb": {"c": 3}})
    store.desired.write_app_config({"webapp": {"b": 2}})
    assert as_text(inside, "rc:{web-1}:config:webapp") == {"b": "2"}
    assert as_text(inside, "rc:app:{webapp}") == {"b": "2"}
    assert "rc:{web-1}:config:mariadb" not in inside.all_keys()
    assert "rc:app:{mariadb}" not in inside.all_keys()


def test_a_config_with_thousands_of_keys_is_written(store: Store, inside: Inside) -> None:
    store.desired.write(1, [host(webapp={f"key_{number}": number for number in range(9000)})])
    assert len(as_text(inside, "rc:{web-1}:config:webapp")) == 9000


def test_a_controller_of_the_past_is_refused_and_the_others_are_written(store: Store) -> None:
    store.desired.write(7, [host(body=b"by 7")])
    with pytest.raises(Refused, match=r"web-1: another controller has taken over \(term 7, ours is 6\)"):
        store.desired.write(6, [host(generation=2, body=b"by 6"), host("web-2", body=b"by 6")])
    first, second = store.desired.read("web-1"), store.desired.read("web-2")
    assert first
    assert second
    assert (first.signed.body, second.signed.body) == (b"by 7", b"by 6")


def test_a_generation_never_goes_back(store: Store) -> None:
    store.desired.write(1, [host(generation=5)])
    with pytest.raises(Refused, match="generation 4 is not above the one written, 5"):
        store.desired.write(1, [host(generation=4)])
    with pytest.raises(Refused, match="generation 5 is not above"):
        store.desired.write(1, [host(generation=5, body=b"something else")])


def test_writing_the_same_again_is_fine(store: Store) -> None:
    store.desired.write(1, [host(generation=5)])
    store.desired.write(1, [host(generation=5)])
    assert store.desired.generations(["web-1"]) == {"web-1": 5}


def test_a_forgotten_host_leaves_only_its_numbers_and_they_expire(store: Store, inside: Inside) -> None:
    store.desired.write(3, [host(webapp=WEBAPP)])
    store.desired.forget("web-1", 3)
    assert store.desired.read("web-1") is None
    assert store.observed.hosts() == frozenset()
    left = [key for key in inside.all_keys() if "{web-1}" in key]
    assert left == ["rc:{web-1}:numbers"]
    assert inside.seconds_to_live(left[0]) > 0
    with pytest.raises(Refused):
        store.desired.write(2, [host(generation=9)])
    store.desired.write(4, [host(generation=9)])
    assert inside.seconds_to_live(left[0]) == -1


def test_a_controller_of_the_past_forgets_nothing(store: Store) -> None:
    store.desired.write(3, [host()])
    with pytest.raises(Refused):
        store.desired.forget("web-1", 2)
    assert store.desired.read("web-1")


def test_bundles_come_back_as_they_were_put(store: Store) -> None:
    bundles = [Bundle.of({"app": f"app-{number}", "resources": ["x" * 5000]}) for number in range(20)]
    store.desired.put_bundles(bundles)
    assert store.desired.bundles([bundle.sha for bundle in bundles]) == {bundle.sha: bundle for bundle in bundles}


def test_a_bundle_lives_for_a_while_after_a_plan_last_used_it(store: Store, inside: Inside) -> None:
    bundle = Bundle.of({"app": "webapp"})
    store.desired.put_bundles([bundle])
    key = Keys().bundle(bundle.sha)
    inside.link.send("EXPIRE", key, 60)
    store.desired.bundles([bundle.sha])
    assert inside.seconds_to_live(key) <= 60, "an agent may only read"
    store.desired.bundles([bundle.sha], renew=True)
    assert inside.seconds_to_live(key) > 60


@pytest.mark.parametrize(
    "stored", [zlib.compress(b'{"app":"evil"}'), b"not compressed", zlib.compress(b'{"app":"webapp"}')[:-3]]
)
def test_a_bundle_that_is_not_what_its_name_says_is_not_handed_out(store: Store, inside: Inside, stored: bytes) -> None:
    good, other = Bundle.of({"app": "webapp"}), Bundle.of({"app": "other"})
    store.desired.put_bundles([good, other])
    inside.link.send("SET", Keys().bundle(good.sha), stored)
    assert store.desired.bundles([good.sha, other.sha, "0" * 64]) == {other.sha: other}
