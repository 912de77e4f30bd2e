"""`reconcile watch` over real hosts: commits arrive, drift goes, hosts come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.ops import Ops
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
    - package: {name: cron}
    - file: {path: /etc/NAME, content: "{{ greeting }} from {{ host.name }}\\n"}
    - service: {name: cron}
"""


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Ops:
    made = Ops(fleet.directory / "ops", fleet)
    made.write("manifests/fleet.yaml", "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: e2e}\nspec: {}\n")
    made.write("manifests/apps/healed.yaml", APP.replace("NAME", "healed").replace("POLICY", "heal"))
    reported = APP.replace("NAME", "reported").replace("POLICY", "report").replace("    - package: {name: cron}\n", "")
    made.write("manifests/apps/reported.yaml", reported.replace("    - service: {name: cron}\n", ""))
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


def test_drift_is_healed_without_being_asked(fleet: Fleet, watch: Ops) -> None:
    host = fleet.look("web-1")
    host.check_output("echo by hand > /etc/healed && chmod 0600 /etc/healed && systemctl stop cron")
    until(lambda: "by hand" not in text(fleet, "web-1", "/etc/healed"), "healing of the file")
    until(lambda: host.file("/etc/healed").mode == 0o644, "healing of the mode")
    until(lambda: host.service("cron").is_running, "healing of the service")


def test_drift_that_is_only_reported_is_shown_and_stays(fleet: Fleet, watch: Ops) -> None:
    fleet.look("web-2").check_output("echo by hand > /etc/reported")
    until(lambda: "file:/etc/reported" in watch("status").out, "the report")
    assert text(fleet, "web-2", "/etc/reported") == "by hand\n"


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
