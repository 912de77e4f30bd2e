"""What a sound tree becomes."""

from datetime import UTC, datetime

import pytest

from reconciler.errors import InvalidInput, Unavailable
from reconciler.manifests import STARTER, Loader
from reconciler.model.manifests import (
    Block,
    Connection,
    ConnectionType,
    Dependency,
    FailurePolicy,
    Guard,
    Lifecycle,
    Maintenance,
    PrunePolicy,
    Require,
    ResourceTemplate,
)
from reconciler.model.metadata import Origin
from reconciler.model.selector import Selector
from reconciler.model.tree import Revision, Tree, TreeFile
from tests.unit.manifests.trees import HOST, app, example, fleet, group, host, load, tree, with_templates


def test_the_example_fleet_of_this_repository_is_sound() -> None:
    manifests = load(example())

    assert list(manifests.hosts) == ["demo"]
    assert list(manifests.apps["webapp"].config) == [
        "mysql_host", "mysql_port", "mysql_user", "mysql_pass", "nginx_port", "nginx_docroot",
    ]  # fmt: skip
    assert manifests.apps["webapp"].config["mysql_pass"] == {"secret": "webapp/mysql_pass"}
    assert manifests.hosts["demo"].sandbox_root == ".reconciler/sandbox/demo"


def test_the_fleet_that_init_writes_is_sound() -> None:
    manifests = load(tree(STARTER))

    assert list(manifests.select(manifests.apps["hello"].hosts)) == list(manifests.hosts)


def test_a_host_has_all_its_fields() -> None:
    key = "SHA256:Xf2aK7w1p0mB3v0b7dQm0c0m8m0b5z9yT4kq2o1uE8s"
    spec = """\
  connection: {type: ssh, user: deploy, port: 2222, become: true, proxyJump: bastion, hostKey: "KEY"}
  sandboxRoot: /srv/sandbox
  config: {webapp: {nginx_port: 8080}}
  vars: {rack: 4, disks: [a, b]}
  maintenance: {until: 2026-07-01T20:00:00+02:00, reason: new disk, drain: false}
  lifecycle: retire
""".replace("KEY", key)
    found = load(
        fleet(db=host("db-1", "role: db", spec), a=app("  hosts: '*'\n  config: {nginx_port: 80}\n  resources: []\n"))
    ).hosts["db-1"]

    assert found.connection == Connection(
        ConnectionType.SSH, "deploy", 2222, become=True, proxy_jump="bastion", host_key=key
    )
    assert found.config == {"webapp": {"nginx_port": 8080}}
    assert found.vars == {"rack": 4, "disks": ["a", "b"]}
    assert found.maintenance == Maintenance(datetime(2026, 7, 1, 18, tzinfo=UTC), "new disk", drain=False)
    assert (found.lifecycle, found.sandbox_root, found.labels) == (Lifecycle.RETIRE, "/srv/sandbox", {"role": "db"})


def test_an_app_has_all_its_policies() -> None:
    text = app("""\
  hosts: {role: web}
  dependsOn: [{app: base, sameLabels: [env], require: any}]
  resources:
    - package: {name: [nginx-light, curl]}
    - file: {path: /etc/motd, content: hello, mode: "0644"}
      name: motd
      when: host.labels.env == "prod"
      keep: true
    - block:
        forEach: [a, b]
        resources: [{directory: {path: "/srv/{{ item }}"}}]
  metrics: [{name: queue, command: [queue-length], interval: 1m}]
  rollout: {steps: [{hosts: env=prod, minHealthyTime: 30m}, {batch: 50%, spread: zone}], maxUnavailable: 2}
  prune: all
  onFailure: stop
  verifyEvery: 1h30m
  confirm: 60s
""")
    found = load(fleet(a=text, b=app("  hosts: '*'\n  resources: []\n", "base"))).apps["webapp"]

    assert found.hosts == Selector.parse("role=web")
    assert found.depends_on == (Dependency("base", ("env",), Require.ANY),)
    assert found.resources[1] == ResourceTemplate(
        "file",
        {"path": "/etc/motd", "content": "hello", "mode": "0644"},
        ("spec", "resources", 1),
        name="motd",
        when='host.labels.env == "prod"',
        keep=True,
    )
    assert isinstance(found.resources[2], Block)
    assert [resource.path for resource in found.each_resource()][-1] == (
        "spec",
        "resources",
        2,
        "block",
        "resources",
        0,
    )
    assert found.metrics[0].interval_seconds == 60
    assert found.rollout is not None
    assert [(step.batch, step.min_healthy_seconds, step.spread) for step in found.rollout.steps] == [
        (None, 1800, None),
        ("50%", 0, "zone"),
    ]
    assert (found.rollout.max_unavailable, found.prune, found.on_failure) == ("2", PrunePolicy.ALL, FailurePolicy.STOP)
    assert (found.verify_every_seconds, found.confirm_seconds) == (5400, 60)


def test_the_fleet_has_its_guard_and_retention() -> None:
    text = (
        "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: f}\n"
        "spec: {guard: {deleteCount: 3}, sampleInterval: 500ms, retention: {raw: 2d, metrics: [cpu]}}\n"
    )
    found = load(fleet(fleet=text)).fleet

    assert found.guard == Guard(delete_percent=20, delete_count=3)
    assert (found.sample_interval_seconds, found.retention_raw_seconds, found.retention_rollup_seconds) == (
        0.5,
        172_800,
        2_592_000,
    )
    assert found.retention_metrics == ("cpu",)


def test_a_job_locks_its_host_only_if_a_step_changes_resources() -> None:
    head = "apiVersion: reconciler/v1\nkind: Job\n"
    reads = head + "metadata: {name: report}\nspec: {steps: [{command: {argv: [uptime]}}]}\n"
    changes = (
        head + "metadata: {name: bounce}\nspec: {steps: [{service: {name: nginx, state: restarted}}, {reboot: {}}]}\n"
    )
    jobs = load(fleet(a=reads, b=changes)).jobs

    assert {name: job.lock for name, job in jobs.items()} == {"bounce": "host", "report": "none"}


def test_values_keep_the_type_that_yaml_1_2_gives_them() -> None:
    spec = (
        '  vars: {a: "1.10", b: 1.10, c: yes, d: 0644, e: 0o17, f: 2026-01-01, g: null, h: true, i: 1_000, j: 0x1F}\n'
    )
    found = load(fleet(x=host("x", spec=spec))).hosts["x"].vars

    assert found == {
        "a": "1.10", "b": 1.1, "c": "yes", "d": 644, "e": 15,
        "f": "2026-01-01", "g": None, "h": True, "i": "1_000", "j": 31,
    }  # fmt: skip


def test_fields_of_resources_take_templates_where_numbers_and_booleans_stand() -> None:
    text = app("""\
  hosts: role=web
  resources:
    - user: {name: deploy, uid: "{{ uid }}", system: "{{ true }}", groups: "{{ groups }}"}
    - file: {path: "{{ root }}/x", content: x, mode: "{{ mode }}", owner: "{{ who }}"}
    - command: {argv: "{{ words }}", timeout: "{{ limit }}"}
""")

    assert len(load(fleet(a=text)).apps["webapp"].resources) == 3


def test_manifests_are_in_name_order_whatever_the_order_of_files() -> None:
    names = ["zeta", "alpha", "web-2"]
    forward = load(fleet(**{name: host(name) for name in names}))
    backward = load(fleet(**{name: host(name) for name in reversed(names)}))

    assert list(forward.hosts) == list(backward.hosts) == ["alpha", "web-1", "web-2", "zeta"]


def test_several_documents_may_stand_in_one_file_and_each_knows_its_place() -> None:
    files = fleet(web=f"---\n{HOST}---\n---\n{host('web-2')}")
    loader = Loader()
    found = loader.load(files).hosts["web-2"].metadata.origin

    assert found == Origin("manifests/web.yaml", 3 - 1)
    assert str(loader.locate(files, found, ("spec", "address"))) == "manifests/web.yaml:12:12"


def test_locate_shows_the_nearest_part_that_is_written() -> None:
    files, loader = fleet(), Loader()
    origin = loader.load(files).hosts["web-1"].metadata.origin

    assert str(loader.locate(files, origin, ("spec", "config", "webapp"))) == "manifests/web.yaml:4:7"
    assert str(loader.locate(files, Origin("manifests/gone.yaml", 0), ("spec",))) == "manifests/gone.yaml"


def test_locate_names_a_file_that_has_changed_since() -> None:
    def changed() -> bytes:
        raise Unavailable.of("changed-meanwhile", "changed while it was being read")

    files = Tree(Revision(""), {"manifests/web.yaml": TreeFile("manifests/web.yaml", "1a2b", changed)})

    assert str(Loader().locate(files, Origin("manifests/web.yaml", 0), ("spec",))) == "manifests/web.yaml"


def test_hidden_folders_and_other_files_are_no_manifests() -> None:
    files = tree(
        {
            **{path: file.read() for path, file in fleet().files.items()},
            "manifests/.schema/host.json": "{}",
            "manifests/.hidden/x.yaml": "nonsense: [",
            "manifests/README.md": "# Read me",
        }
    )

    assert list(load(files).hosts) == ["web-1"]


def test_templates_are_the_text_files_below_templates() -> None:
    files = with_templates(
        fleet(), {"a/b.j2": "{{ x }}\n", "logo.png": b"\x89PNG\xff", "big": b"x" * 1_048_577, ".git": "x"}
    )

    assert load(files).templates == {"a/b.j2": "{{ x }}\n"}


def test_an_anchor_and_a_merge_key_save_repetition() -> None:
    spec = "  vars:\n    a: &a {x: 1, y: 2}\n    b: {<<: *a, y: 3}\n    c: *a\n"
    found = load(fleet(x=host("x", spec=spec))).hosts["x"].vars

    assert found == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}}


def test_flow_scalars_that_libyaml_refuses_are_read() -> None:
    spec = "  vars: {url: http://x/, next: {url: http://y:80/}}\n"

    assert load(fleet(x=host("x", spec=spec))).hosts["x"].vars["next"] == {"url": "http://y:80/"}


def test_a_selector_of_a_group_reaches_the_hosts_of_an_app() -> None:
    files = fleet(a=app("  hosts: env=prod\n  resources: []\n"), g=group("g", "  hosts: app=webapp\n  vars: {x: 1}\n"))
    manifests = load(files)

    assert manifests.select(manifests.groups["g"].hosts) == ("web-1",)


def test_an_empty_tree_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"^manifests/: holds no manifest\. Start with reconcile init$"):
        load(tree({}))
