"""What an apply on a real host promises: what it adopts, puts back, takes away and leaves alone."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet, booted
from tests.e2e.ops import FLEET, Ops, Ran

NAME = "edge"
APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {{name: {name}}}
spec:
  hosts: "*"
{policy}
  resources:
{resources}
"""
SITE = "/etc/nginx/conf.d/edge.conf"
NGINX = f"""\
    - package: {{name: nginx-light}}
    - file: {{path: {SITE}, content: "server {{ listen 8080; return 204; }}\\n"}}
      name: site
    - service: {{name: nginx, restartOn: [site]}}
"""
CONFFILE = """\
    - file: {path: /etc/default/cron, content: "READ_ENV=no\\n"}
"""
FAILING = """\
    - package: {name: cron}
    - file: {path: /etc/motd, content: "new\\n"}
    - file: {path: /etc/new/file, content: "new\\n"}
    - link: {path: /etc/link, target: new}
    - service: {name: e2e, state: stopped, enabled: false}
  health:
    - command: {argv: ["false"]}
      within: 1s
"""
UNIT = "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with booted(NAME) as hosts:
        yield hosts


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Ops:
    made = Ops(fleet.directory / "ops", fleet)
    made.write("manifests/fleet.yaml", FLEET)
    made.host(fleet, NAME, "")
    return made


def apply(ops: Ops, app: str, resources: str, policy: str = "") -> Ran:
    """Declare an app and bring only it to its state; nothing else is declared afterwards than before."""
    path = f"manifests/apps/{app}.yaml"
    ops.write(path, APP.format(name=app, policy=f"  {policy}" if policy else "", resources=resources))
    ops.commit(app)
    return ops("apply", "--yes", "--app", app, "--allow-deletes", "100")


def drop(ops: Ops, app: str) -> Ran:
    """An app leaves the manifests."""
    (ops.root / f"manifests/apps/{app}.yaml").unlink()
    ops.commit(f"no {app}")
    return ops("apply", "--yes", "--allow-deletes", "100")


def test_what_fails_goes_back_with_files_links_and_services_and_lists_the_packages_that_stay(
    fleet: Fleet, ops: Ops
) -> None:
    host = fleet.look(NAME)
    host.check_output(f"printf '{UNIT}' >/etc/systemd/system/e2e.service; systemctl enable --now e2e")
    host.check_output("echo old >/etc/motd; ln -s old /etc/link")
    ran = apply(ops, "failing", FAILING, "adopt: replace")
    assert ran.code == 3, ran.out
    assert "rolled back" in ran.out
    assert host.file("/etc/motd").content_string == "old\n"
    assert not host.file("/etc/new").exists
    assert host.file("/etc/link").linked_to == "/etc/old"
    assert host.service("e2e").is_running
    assert host.service("e2e").is_enabled
    assert host.package("cron").is_installed
    assert "package:cron" in ran.out, ran.out
    assert drop(ops, "failing").code == 0


def test_an_untouched_conffile_of_the_distribution_is_taken_over_and_a_touched_one_is_not(
    fleet: Fleet, ops: Ops
) -> None:
    host = fleet.look(NAME)
    host.check_output("dpkg --purge cron; apt-get install --yes --quiet cron; echo '# ours' >>/etc/default/cron")
    touched = apply(ops, "conffile", CONFFILE)
    assert touched.code == 3, touched.out
    assert "/etc/default/cron exists, differs and is not ours" in touched.out
    assert "# ours" in host.file("/etc/default/cron").content_string

    host.check_output("sed -i '/# ours/d' /etc/default/cron")
    untouched = ops("apply", "--yes", "--app", "conffile")
    assert untouched.code == 0, untouched.out
    assert host.file("/etc/default/cron").content_string == "READ_ENV=no\n"


def test_a_link_of_a_user_leads_nobody_out_of_his_home(fleet: Fleet, ops: Ops) -> None:
    host = fleet.look(NAME)
    host.check_output("su ops -c 'ln -s /etc /home/ops/trap'")
    ran = apply(ops, "home", '    - file: {path: /home/ops/trap/shadow, content: "root::0:0:99999:7:::\\n"}\n')
    assert ran.code == 3, ran.out
    assert "/home/ops/trap" in ran.out
    assert "root::" not in host.file("/etc/shadow").content_string
    assert drop(ops, "home").code == 0


def test_packages_stay_when_their_app_leaves_and_go_where_everything_is_pruned(fleet: Fleet, ops: Ops) -> None:
    host = fleet.look(NAME)
    for policy, stays in (("prune: true", True), ("prune: all", False)):
        host.check_output("dpkg --purge logrotate")
        assert apply(ops, "tool", "    - package: {name: logrotate}\n", policy).code == 0
        assert host.package("logrotate").is_installed
        told = drop(ops, "tool").out
        assert host.package("logrotate").is_installed is stays, told
        assert ("package:logrotate stays (prune: all removes it)" in told) is stays, told


def test_a_host_that_lost_its_ledger_is_adopted_again_and_nothing_is_written_or_restarted(
    fleet: Fleet, ops: Ops
) -> None:
    host = fleet.look(NAME)
    ran = apply(ops, "web", NGINX)
    assert ran.code == 0, ran.out
    before = state_of_nginx(fleet)
    host.check_output("rm /var/lib/reconciler/ledger.json")
    ops.forget()
    again = ops("apply", "--yes")
    assert again.code == 0, again.out
    assert state_of_nginx(fleet) == before
    assert host.file("/var/lib/reconciler/ledger.json").exists

    assert apply(ops, "web", NGINX.replace("204", "205")).code == 0
    with urllib.request.urlopen(f"http://{fleet[NAME].address}:8080/", timeout=10) as answer:
        assert answer.status == 205


def state_of_nginx(fleet: Fleet) -> str:
    """Its process, when that was started, its workers, which a reload replaces, and when its site was written."""
    look = "systemctl show --property=MainPID,ActiveEnterTimestampMonotonic nginx; pgrep --list-full nginx"
    state: str = fleet.look(NAME).check_output(f"{look}; stat --format %y {SITE}")
    return state
