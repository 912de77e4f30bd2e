"""`reconcile watch` over real hosts: commits arrive, drift goes, hosts come back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.ops import FLEET, Ops
from tests.waiting import until

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: NAME}
spec:
  hosts: role=web
  verifyEvery: 1s
  drift: POLICY
  config: {greeting: Hello}
  resources:
    - package: {name: PACKAGE}
    - file: {path: /etc/NAME, content: "{{ greeting }} from {{ host.name }}\\n"}
    - directory: {path: /srv/NAME, mode: "0750"}
    - service: {name: SERVICE}
"""


def app(name: str, policy: str, package: str, service: str) -> str:
    """A package, a file, a directory and a service, looked at every second."""
    words = {"NAME": name, "POLICY": policy, "PACKAGE": package, "SERVICE": service}
    return reduce(lambda text, word: text.replace(*word), words.items(), APP)


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Ops:
    made = Ops(fleet.directory / "ops", fleet)
    made.write("manifests/fleet.yaml", FLEET)
    made.write("manifests/apps/healed.yaml", app("healed", "heal", "cron", "cron"))
    made.write("manifests/apps/reported.yaml", app("reported", "report", "redis-server", "redis-server"))
    for name in fleet.hosts:
        made.host(fleet, name, "role: web")
    made.commit("a small fleet")
    return made


@pytest.fixture(scope="module")
def watch(fleet: Fleet, ops: Ops) -> Iterator[Ops]:
    """A watch at work, its first revision on every host."""
    with ops.watching():
        for name in fleet.hosts:
            wait_for(fleet, name, "/etc/reported", f"Hello from {name}\n")
        yield ops


def text(fleet: Fleet, name: str, path: str) -> str:
    file = fleet.look(name).file(path)
    return str(file.content_string) if file.exists else ""


def wait_for(fleet: Fleet, name: str, path: str, content: str) -> None:
    until(lambda: text(fleet, name, path) == content, f"{content.strip()!r} in {path} on {name}")


def test_a_commit_arrives_on_every_host(fleet: Fleet, watch: Ops) -> None:
    watch.replace("manifests/apps/healed.yaml", "Hello", "Good day")
    watch.commit()
    for name in fleet.hosts:
        wait_for(fleet, name, "/etc/healed", f"Good day from {name}\n")


MEDDLING = {
    "a file edited by hand": "echo by hand > /etc/%s",
    "a changed mode": "chmod 0777 /srv/%s",
    "a stopped service": "systemctl stop {service}",
    "a removed package": "apt-get purge --yes --quiet {service}",
}


@pytest.mark.parametrize("drift", MEDDLING)
def test_drift_is_healed_without_being_asked(fleet: Fleet, watch: Ops, drift: str) -> None:
    host = fleet.look("web-1")
    host.check_output(MEDDLING[drift].replace("%s", "healed").format(service="cron"))
    until(lambda: text(fleet, "web-1", "/etc/healed").endswith("from web-1\n"), "healing of the file")
    until(lambda: host.file("/srv/healed").mode == 0o750, "healing of the mode")
    until(lambda: host.package("cron").is_installed, "healing of the package")
    until(lambda: host.service("cron").is_running, "healing of the service")


@pytest.mark.parametrize(
    ("drift", "told"),
    [
        ("a file edited by hand", ("file:/etc/reported", "content")),
        ("a changed mode", ("directory:/srv/reported", "mode: 0777 -> 0750")),
        ("a stopped service", ("service:redis-server", "state: stopped -> running")),
        ("a removed package", ("package:redis-server", "redis-server: absent -> installed")),
    ],
)
def test_drift_that_is_only_reported_is_shown_with_what_differs_and_stays(
    fleet: Fleet, watch: Ops, drift: str, told: tuple[str, ...]
) -> None:
    fleet.look("web-2").check_output(MEDDLING[drift].replace("%s", "reported").format(service="redis-server"))
    until(lambda: all(words in watch("status", "--host", "web-2").out for words in told), f"the report of {told}")
    assert any(drift["resource"] == told[0] for drift in _drift(watch))


def test_what_was_reported_is_still_as_others_left_it(fleet: Fleet, watch: Ops) -> None:
    host = fleet.look("web-2")
    assert text(fleet, "web-2", "/etc/reported") == "by hand\n"
    assert host.file("/srv/reported").mode == 0o777
    assert not host.service("redis-server").is_running
    assert not host.package("redis-server").is_installed


def _drift(ops: Ops) -> list[dict[str, str]]:
    return [drift for row in ops.json("status", "--host", "web-2")["apps"] for drift in row["drift"]]


def test_a_host_without_power_holds_up_no_other_and_is_brought_up_to_date_when_it_returns(
    fleet: Fleet, watch: Ops
) -> None:
    fleet["db-1"].pull_power()
    watch.replace("manifests/apps/healed.yaml", "greeting: ", "greeting: Once more ")
    watch.commit()
    wait_for(fleet, "web-1", "/etc/healed", "Once more Good day from web-1\n")
    fleet.look("web-1").check_output("echo by hand > /etc/healed")
    wait_for(fleet, "web-1", "/etc/healed", "Once more Good day from web-1\n")
    until(lambda: '"event": "unreachable"' in watch.watch_log, "the word of it")
    assert "healed on db-1\n" in watch("plan").out

    fleet["db-1"].switch_on()
    fleet["db-1"].wait_until_reachable()
    wait_for(fleet, "db-1", "/etc/healed", "Once more Good day from db-1\n")
