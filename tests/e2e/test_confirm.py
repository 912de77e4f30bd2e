"""An apply that cuts a real host's network is taken back by the host itself, also across a reboot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops
from tests.e2e.redis import serving
from tests.e2e.wheels import cached_wheels
from tests.waiting import until

NETWORK = "etc/systemd/network/10-fleet.network"
APP = f"""\
apiVersion: reconciler/v1
kind: App
metadata: {{name: network}}
spec:
  hosts: role=edge
  confirm: 20s
  adopt: replace
  config: {{address: ADDRESS, link: up, why: as it was}}
  resources:
    - file:
        path: /{NETWORK}
        content: |
          # {{{{ why }}}}
          [Match]
          Name=host0

          [Link]
          ActivationPolicy={{{{ link }}}}

          [Network]
          Address={{{{ address }}}}/24
          LinkLocalAddressing=no
          IPv6AcceptRA=no
      name: network
    - service: {{name: systemd-networkd, restartOn: [network]}}
"""


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with booted("edge-1") as hosts:
        yield hosts


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Iterator[Ops]:
    """Its host has an agent, and the app is as the host's network already is."""
    with serving(fleet.directory / "redis") as url:
        made = Ops(fleet.directory / "ops", fleet, {"RECONCILER_REDIS_URL": url})
        made.give_wheels(cached_wheels())
        made.write("manifests/fleet.yaml", FLEET)
        made.host(fleet, "edge-1", "role: edge")
        made.commit("a host")
        ran = made("hosts", "enroll", "edge-1")
        assert ran.code == 0, ran.out
        made.write("manifests/apps/network.yaml", APP.replace("ADDRESS", fleet["edge-1"].address))
        made.commit("its network")
        ran = made("apply", "--yes")
        assert ran.code == 0, ran.out
        yield made


def on_disk(fleet: Fleet) -> str:
    """The host's network as its disk has it, seen from outside."""
    return (fleet["edge-1"].files / NETWORK).read_text()


def take_link_down(ops: Ops, why: str) -> None:
    """Commit what takes the host's only link down."""
    ops.replace("manifests/apps/network.yaml", "link: up, why: as it was", f"link: always-down, why: {why}")
    ops.commit(why)


def test_an_apply_that_cuts_the_network_is_taken_back_by_the_host(fleet: Fleet, ops: Ops) -> None:
    host = fleet["edge-1"]
    good = on_disk(fleet)
    take_link_down(ops, "once")
    with ops.running("apply", "--yes") as apply:
        until(lambda: "# once" in on_disk(fleet), "the apply")
        until(lambda: not host.answers(), "the cut")
        until(lambda: on_disk(fleet) == good, "the way back")
        host.wait_until_reachable()
        out, _ = apply.communicate()
    assert apply.returncode == 3, out
    assert "UP" in fleet.look("edge-1").check_output("ip -brief link show host0")
    until(lambda: "unconfirmed" in ops("history").out, "the report")
    assert "Redis could not be reached for 20 s after the apply, so it was taken back" in ops("status").out


def test_a_reboot_in_between_changes_nothing_of_it(fleet: Fleet, ops: Ops) -> None:
    host = fleet["edge-1"]
    good = on_disk(fleet)
    ops.git("revert", "--no-edit", "HEAD")
    take_link_down(ops, "again")
    with ops.running("apply", "--yes") as apply:
        until(lambda: "# again" in on_disk(fleet), "the apply")
        until(lambda: not host.answers(), "the cut")
        boots = host.boots
        host.pull_power()
        host.switch_on()
        assert "# again" in on_disk(fleet)
        until(lambda: on_disk(fleet) == good, "the way back")
        host.wait_until_reachable()
        out, _ = apply.communicate()
    assert apply.returncode == 3, out
    assert host.boots == boots + 1
    why = "Redis could not be reached for 20 s after the reboot that followed the apply, so it was taken back"
    until(lambda: why in ops("status").out, "the report")
