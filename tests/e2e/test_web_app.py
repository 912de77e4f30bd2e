"""The web app of the example fleet on real hosts: nginx on two, MariaDB on the third, haproxy there too."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet
from tests.e2e.ops import PROJECT, Ops, Ran
from tests.waiting import until

SITE = "/etc/nginx/sites-available/webapp.conf"
PASSWORD = "correct horse battery"
SLOW_STEP = """\
    - directory: {path: /etc/webapp}
    - command: {argv: [sh, -c, "touch /run/slow; sleep 600"], timeout: 15m}
      name: slow
"""


@pytest.fixture(scope="module")
def ops(fleet: Fleet) -> Ops:
    made = Ops(fleet.directory / "ops", fleet)
    for app in ("base", "webapp"):
        made.copy(PROJECT / f"manifests/apps/{app}.yaml", f"manifests/apps/{app}.yaml")
    made.copy(PROJECT / "templates", "templates")
    made.copy(Path(__file__).parent / "web_fleet", ".")
    made.host(fleet, "web-1", "role: web, env: e2e")
    made.host(fleet, "web-2", "role: web, env: e2e", "{user: ops, become: true}")
    made.host(fleet, "db-1", "role: db, balances: web, env: e2e")
    made.secret("webapp/mysql_pass", PASSWORD)
    made.commit("the web app")
    return made


@pytest.fixture(scope="module")
def first_run(ops: Ops) -> Ran:
    return ops("apply", "--yes")


@pytest.fixture
def web(fleet: Fleet, ops: Ops, first_run: Ran) -> Iterator[Ops]:
    """The web app, converged; whatever a test does to it is undone afterwards."""
    yield ops
    for host in fleet.hosts.values():
        host.plug()
    ops.git("reset", "--quiet", "--hard")
    assert ops("apply", "--yes").code == 0


def page(fleet: Fleet, name: str) -> str:
    """What a visitor sees."""
    with urllib.request.urlopen(f"http://{fleet[name].address}/", timeout=10) as answer:
        text: bytes = answer.read()
    return text.decode()


def test_the_first_run_installs_configures_and_starts_everything(fleet: Fleet, first_run: Ran) -> None:
    assert first_run.code == 0, first_run.out
    assert PASSWORD not in first_run.out
    for name in ("web-1", "web-2"):
        host = fleet.look(name)
        assert host.package("nginx-light").is_installed
        assert host.service("nginx").is_running
        assert host.service("nginx").is_enabled
        assert host.file("/etc/nginx/sites-enabled/webapp.conf").linked_to == SITE
        assert not host.file("/etc/nginx/sites-enabled/default").exists
        assert host.file("/etc/webapp/mysql.cnf").mode == 0o600
        assert f"Served by {name}" in page(fleet, name)
    database = fleet.look("db-1")
    assert database.service("mariadb").is_running
    assert database.socket("tcp://0.0.0.0:3306").is_listening


def test_the_web_hosts_reach_their_database_with_the_secret(fleet: Fleet, web: Ops) -> None:
    for name in ("web-1", "web-2"):
        ask = "mariadb --defaults-file=/etc/webapp/mysql.cnf -N -e 'SELECT DATABASE(), CURRENT_USER()' webapp"
        assert fleet.look(name).check_output(ask) == "webapp\twebapp@%"


def test_the_proxy_serves_the_page_of_every_web_host(fleet: Fleet, web: Ops) -> None:
    served = {page(fleet, "db-1") for _ in range(4)}
    assert served == {page(fleet, "web-1"), page(fleet, "web-2")}


def test_a_web_host_that_is_retired_from_the_app_leaves_the_proxy(fleet: Fleet, web: Ops) -> None:
    web.host(fleet, "web-2", "role: spare, env: e2e", "{user: ops, become: true}")
    ran = web("apply", "--yes", "--allow-dirty", "--allow-deletes", "20")
    assert ran.code == 0, ran.out
    assert {page(fleet, "db-1") for _ in range(4)} == {page(fleet, "web-1")}
    spare = fleet.look("web-2")
    assert not spare.file(SITE).exists
    assert not spare.file("/etc/webapp").exists
    assert not spare.service("nginx").is_running
    assert not spare.service("nginx").is_enabled
    assert spare.package("nginx-light").is_installed  # packages stay, others may need them


def test_a_second_run_changes_nothing(fleet: Fleet, web: Ops) -> None:
    before = _running_since(fleet)
    plan = web("plan", "--detailed-exitcode")
    assert (plan.code, plan.last_line.split(".")[0]) == (0, "No changes"), plan.out
    assert web("apply", "--yes").last_line.startswith("No changes.")
    assert web("verify", "--detailed-exitcode").code == 0
    assert _running_since(fleet) == before


def test_drift_is_found_told_and_healed(fleet: Fleet, web: Ops) -> None:
    host = fleet.look("web-1")
    host.check_output(f"echo '# by hand' >> {SITE} && chmod 0666 /etc/webapp/mysql.cnf && systemctl stop nginx")

    seen = web("verify", "--detailed-exitcode")
    assert seen.code == 2
    for told in (SITE, "mode: 0666 -> 0600", "state: stopped -> running"):
        assert told in seen.out, seen.out
    assert not host.service("nginx").is_running

    healed = web("apply", "--yes")
    assert healed.code == 0, healed.out
    assert "by hand" not in host.file(SITE).content_string
    assert host.file("/etc/webapp/mysql.cnf").mode == 0o600
    assert "Served by web-1" in page(fleet, "web-1")


def test_a_removed_package_comes_back(fleet: Fleet, web: Ops) -> None:
    host = fleet.look("web-2")
    host.check_output("DEBIAN_FRONTEND=noninteractive apt-get purge --yes --quiet nginx-light nginx nginx-common")
    assert web("verify", "--detailed-exitcode").code == 2
    assert web("apply", "--yes").code == 0
    assert host.package("nginx-light").is_installed
    assert "Served by web-2" in page(fleet, "web-2")


def test_a_config_that_nginx_refuses_never_reaches_the_running_service(fleet: Fleet, web: Ops) -> None:
    before = _running_since(fleet)
    web.replace("templates/nginx/site.conf.j2", "listen {{ nginx_port }};", "listen {{ nginx_port }} nonsense;")

    refused = web("apply", "--yes", "--allow-dirty")
    assert refused.code == 3
    assert "nginx refuses the new configuration" in refused.out
    assert "nonsense" in refused.out
    for name in ("web-1", "web-2"):
        assert "nonsense" not in fleet.look(name).file(SITE).content_string
        assert fleet.look(name).run("nginx -t").rc == 0
        assert f"Served by {name}" in page(fleet, name)
    assert _running_since(fleet) == before


def test_a_config_that_fails_its_health_check_is_rolled_back_and_not_tried_again_until_it_changes(
    fleet: Fleet, web: Ops
) -> None:
    web.replace("templates/nginx/site.conf.j2", "try_files $uri $uri/ =404;", "return 503;")
    web.replace("manifests/apps/webapp.yaml", "within: 30s", "within: 5s")
    failed = web("apply", "--yes", "--allow-dirty")
    assert failed.code == 3
    assert "rolled back" in failed.out, failed.out
    for name in ("web-1", "web-2"):
        assert "return 503" not in fleet.look(name).file(SITE).content_string
        assert f"Served by {name}" in page(fleet, name)

    before = _running_since(fleet)
    again = web("apply", "--yes", "--allow-dirty")
    assert "return 503" not in fleet.look("web-1").file(SITE).content_string
    assert _running_since(fleet) == before
    assert "it failed here before" in again.out, again.out

    web.replace("templates/nginx/site.conf.j2", "return 503;", "try_files $uri $uri/ =410;")
    assert web("apply", "--yes", "--allow-dirty").code == 0
    assert "=410" in fleet.look("web-1").file(SITE).content_string
    assert "Served by web-1" in page(fleet, "web-1")


def test_one_host_out_of_reach_does_not_hold_up_the_others(fleet: Fleet, web: Ops) -> None:
    fleet["web-2"].unplug()
    web.replace("templates/base/motd.j2", "is managed by", "is looked after by")
    ran = web("apply", "--yes", "--allow-dirty")
    assert ran.code == 3
    assert "unreachable" in ran.line_of("web-2"), ran.out
    for name in ("web-1", "db-1"):
        assert "looked after" in fleet.look(name).file("/etc/motd").content_string

    fleet["web-2"].plug()
    assert web("apply", "--yes", "--allow-dirty").code == 0
    assert "looked after" in fleet.look("web-2").file("/etc/motd").content_string


def test_a_host_with_another_key_gets_nothing(fleet: Fleet, web: Ops) -> None:
    expected, shown = "SHA256:" + "A" * 43, _fingerprint(fleet, "web-1")
    web.host(fleet, "web-1", "role: web, env: e2e", f"{{hostKey: '{expected}'}}")
    web.replace("templates/base/motd.j2", "is managed by", "is looked after by")
    ran = web("apply", "--yes", "--allow-dirty")
    assert ran.code == 3
    assert expected in ran.out
    assert shown in ran.out
    assert "Nothing was sent" in ran.out
    assert "looked after" not in fleet.look("web-1").file("/etc/motd").content_string
    assert "looked after" in fleet.look("web-2").file("/etc/motd").content_string


def test_a_host_that_loses_power_in_the_middle_of_an_apply_is_brought_to_its_state_by_the_next(
    fleet: Fleet, web: Ops
) -> None:
    web.replace("manifests/apps/webapp.yaml", "    - directory: {path: /etc/webapp}\n", SLOW_STEP)
    with web.running("apply", "--yes", "--allow-dirty", "--host", "web-1") as applying:
        until(lambda: fleet.look("web-1").file("/run/slow").exists, "the slow step")
        fleet["web-1"].pull_power()
        out, _ = applying.communicate()
    assert applying.returncode == 3, out

    fleet["web-1"].switch_on()
    fleet["web-1"].wait_until_reachable()
    web.git("checkout", "--quiet", ".")
    web.replace("templates/base/motd.j2", "is managed by", "is looked after by")
    assert web("apply", "--yes", "--allow-dirty").code == 0
    assert "looked after" in fleet.look("web-1").file("/etc/motd").content_string
    assert "Served by web-1" in page(fleet, "web-1")


def test_an_apply_that_is_killed_is_taken_over_by_the_next(fleet: Fleet, web: Ops) -> None:
    web.replace("manifests/apps/webapp.yaml", "    - directory: {path: /etc/webapp}\n", SLOW_STEP)
    with web.running("apply", "--yes", "--allow-dirty", "--host", "web-1") as applying:
        until(lambda: fleet.look("web-1").file("/run/slow").exists, "the slow step")
        applying.kill()

    web.git("checkout", "--quiet", ".")
    web.replace("templates/base/motd.j2", "is managed by", "is looked after by")
    ran = web("apply", "--yes", "--allow-dirty")
    assert ran.code == 0, ran.out
    assert "looked after" in fleet.look("web-1").file("/etc/motd").content_string
    assert not fleet.look("web-1").process.filter(comm="sleep")


def _running_since(fleet: Fleet) -> dict[str, str]:
    """When each service was last started, and the process that it is."""
    services = {"web-1": "nginx", "web-2": "nginx", "db-1": "mariadb"}
    ask = "systemctl show --property=MainPID,ActiveEnterTimestampMonotonic %s"
    return {name: fleet.look(name).check_output(ask, service) for name, service in services.items()}


def _fingerprint(fleet: Fleet, name: str) -> str:
    shown: str = fleet.look(name).check_output("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    return shown.split()[1]
