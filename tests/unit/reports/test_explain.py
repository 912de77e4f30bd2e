"""Where a value comes from, and what it overrides."""

import dataclasses
import json

from syrupy.assertion import SnapshotAssertion

from reconciler.errors import Place
from reconciler.model.manifests import Dependency, Require
from reconciler.model.metadata import Origin, Path
from reconciler.planner.due import Due
from reconciler.planner.explain import ExplainedValue, Explanation, Setting
from reconciler.reports.explain import explain_json, explain_text

APP = Origin("manifests/apps/webapp.yaml", 0)
GROUP = Origin("manifests/groups.yaml", 1)
HOST = Origin("manifests/hosts/web.yaml", 0)

WEBAPP = Explanation(
    host="web-1",
    app="webapp",
    placed_by="role=web",
    groups=("all", "eu"),
    config=(
        ExplainedValue(
            "mysql_host",
            (
                Setting(
                    "App webapp", "{{ (hosts('app=mariadb') | first).address }}", APP, ("spec", "config", "mysql_host")
                ),
            ),
        ),
        ExplainedValue(
            "mysql_pass",
            (Setting("App webapp", {"secret": "webapp/mysql_pass"}, APP, ("spec", "config", "mysql_pass")),),
        ),
        ExplainedValue(
            "nginx_port",
            (
                Setting("App webapp", 80, APP, ("spec", "config", "nginx_port")),
                Setting("Group eu (priority 10)", 81, GROUP, ("spec", "config", "webapp", "nginx_port")),
                Setting("Host web-1", 8080, HOST, ("spec", "config", "webapp", "nginx_port")),
            ),
        ),
        ExplainedValue("tls.name", (Setting("App webapp", "x\u202e", APP, ("spec", "config", "tls", "name")),)),
        ExplainedValue("unused", (Setting("App webapp", ["a", ""], APP, ("spec", "config", "unused")),)),
    ),
    vars=(ExplainedValue("region", (Setting("Group eu (priority 10)", "", GROUP, ("spec", "vars", "region")),)),),
    depends_on=(Dependency("mariadb", ("env", "zone"), Require.ANY), Dependency("redis")),
    needed_by=("proxy",),
    bundle="b0" * 32,
    digest="d1" * 32,
    values=json.dumps(
        {
            "config": {
                "mysql_host": "10.0.0.7",
                "mysql_pass": {"secret": "webapp/mysql_pass"},
                "nginx_port": 8080,
                "tls": {"name": "x\u202e"},
            },
            "vars": {"region": ""},
        }
    ),
    secrets=("webapp/mysql_pass",),
    due=Due.CHANGED,
    held="paused: INC-42",
)


def line(origin: Origin, path: Path) -> Place:
    return Place(origin.file, 10 + len(path), 5)


def test_each_value_stands_with_the_layers_that_it_overrides(snapshot: SnapshotAssertion) -> None:
    assert explain_text(WEBAPP, color=False, locate=line) == snapshot
    assert explain_text(WEBAPP, color=True, locate=line) == snapshot


def test_without_a_look_at_the_lines_files_are_named() -> None:
    assert "from Host web-1, manifests/hosts/web.yaml\n" in explain_text(WEBAPP, color=False)


def test_an_app_without_values_and_ties_is_short(snapshot: SnapshotAssertion) -> None:
    bare = dataclasses.replace(
        WEBAPP, groups=(), config=(), vars=(), depends_on=(), needed_by=(), secrets=(), values="{}", due=None, held=""
    )
    assert explain_text(bare, color=False) == snapshot


def test_a_key_with_a_dot_is_found_among_what_is_read() -> None:
    value = ExplainedValue("limits.nofile.soft", (Setting("App webapp", "{{ 1 }}", APP, ()),))
    dotted = dataclasses.replace(WEBAPP, config=(value,), values='{"config":{"limits.nofile":{"soft":1024}}}')
    assert "limits.nofile.soft = 1024\n" in explain_text(dotted, color=False)


def test_programs_read_every_setting_with_its_place() -> None:
    told = json.loads(explain_json(WEBAPP, locate=line))["explanation"]
    port = next(value for value in told["config"] if value["name"] == "nginx_port")
    assert port["settings"][-1] == {"source": "Host web-1", "value": 8080, "place": "manifests/hosts/web.yaml:14:5"}
    assert told["values"]["config"]["mysql_host"] == "10.0.0.7"
    assert told["depends_on"][0] == {"app": "mariadb", "same_labels": ["env", "zone"], "require": "any"}
