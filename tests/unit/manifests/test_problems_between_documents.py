"""What only several documents together can get wrong."""

import pytest

from reconciler.manifests.resources import RESOURCES
from reconciler.resources.kinds.registry import KINDS, NOT_IN_SANDBOX
from tests.unit.manifests.trees import FLEET, HOST, app, fleet, group, host, problems, with_templates

INTENDED = "Intended? allowEmpty: true"
EMPTY = "  resources: []\n"


def test_a_selector_without_a_host_names_the_values_that_there_are() -> None:
    files = fleet(a=app(f"  hosts: role=wbe\n{EMPTY}"), b=host("db-1", "role: db"), c=host("jump", "role: bastion"))

    assert problems(files) == [
        "manifests/a.yaml:5:10: role=wbe matches no host; roles are bastion, db, web. Intended? allowEmpty: true"
    ]


def test_a_selector_by_an_unknown_label_suggests_the_nearest() -> None:
    assert problems(fleet(a=app(f"  hosts: rol=web\n{EMPTY}"))) == [
        f"manifests/a.yaml:5:10: rol=web matches no host; no host has a label rol. Did you mean role? {INTENDED}"
    ]


def test_a_selector_whose_terms_hold_only_apart_is_told() -> None:
    files = fleet(a=app(f"  hosts: role=web,env=test\n{EMPTY}"), b=host("db-1", "role: db, env: test"))

    assert problems(files) == [
        f"manifests/a.yaml:5:10: role=web,env=test matches no host; no host fulfils all of it. {INTENDED}"
    ]


def test_a_selector_may_be_empty_on_purpose() -> None:
    files = fleet(
        a=app(f"  hosts: role=gone\n  allowEmpty: true\n{EMPTY}"),
        g=group("g", "  hosts: role=gone\n  allowEmpty: true\n"),
    )

    assert problems(files) == []


def test_a_step_of_a_rollout_names_hosts_of_the_app() -> None:
    steps = "  rollout: {steps: [{hosts: name=db-1}, {hosts: role=web}]}\n"
    files = fleet(a=app(f"  hosts: role=web\n{EMPTY}{steps}"), b=host("db-1", "role: db"))

    assert problems(files) == ["manifests/a.yaml:7:29: name=db-1 matches no host of webapp. Intended? allowEmpty: true"]


def test_no_selector_is_blamed_while_a_host_is_broken() -> None:
    files = fleet(a=app(f"  hosts: role=db\n{EMPTY}"), b=host("db-1", "role: db", "  lifecycle: gone\n"))

    assert problems(files) == ["manifests/b.yaml:6:14: lifecycle gone is not active or retire"]


def test_names_differ_by_more_than_case() -> None:
    files = fleet(a=host("WEB-1"), b=host("db"), c=host("db"))

    assert problems(files) == [
        'manifests/a.yaml:3:18: Host "WEB-1" and "web-1" in manifests/web.yaml differ only in case. Rename one',
        'manifests/c.yaml:3:18: Host "db" is declared twice; first in manifests/b.yaml. Rename one',
    ]


def test_a_host_and_an_app_may_share_a_name() -> None:
    assert problems(fleet(a=app(f"  hosts: role=web\n{EMPTY}", "web-1"))) == []


def test_there_is_exactly_one_fleet() -> None:
    second = FLEET.replace("test", "other")

    assert problems(fleet(fleet=None)) == ["manifests/: there is no Fleet. Write manifests/fleet.yaml with kind: Fleet"]
    assert problems(fleet(z=second)) == [
        "manifests/z.yaml:3:18: a second Fleet; the first is in manifests/fleet.yaml. Keep one"
    ]


def test_apps_that_are_named_exist() -> None:
    files = fleet(
        a=app(f"  hosts: role=web\n  dependsOn: [{{app: mariabd}}]\n{EMPTY}"),
        b=app(f"  hosts: role=web\n{EMPTY}", "mariadb"),
        g=group("g", "  hosts: app=webap\n"),
        h=host("h", spec="  config: {webap: {x: 1}}\n"),
    )

    assert problems(files) == [
        'manifests/a.yaml:6:21: dependsOn names no app "mariabd". Did you mean mariadb?',
        'manifests/g.yaml:5:10: app=webap names no app "webap". Did you mean webapp?',
        'manifests/h.yaml:6:12: no app "webap". Did you mean webapp?',
    ]


def test_groups_and_hosts_set_only_what_an_app_declares() -> None:
    files = fleet(
        a=app(f"  hosts: role=web\n  config: {{nginx_port: 80}}\n{EMPTY}"),
        g=group("g", "  hosts: role=web\n  config:\n    webapp: {nginx_port: 81, port: 1}\n"),
        h=host("h", spec="  config:\n    webapp:\n      ngnix_port: 82\n"),
    )

    assert problems(files) == [
        'manifests/g.yaml:7:30: webapp has no config "port". Known: nginx_port',
        'manifests/h.yaml:8:7: webapp has no config "ngnix_port". Did you mean nginx_port?',
    ]


def test_groups_of_equal_priority_agree_on_how_to_connect() -> None:
    files = fleet(
        a=group("a", "  hosts: role=web\n  connection: {user: me}\n"),
        b=group("b", "  hosts: env=prod\n  connection: {user: you}\n"),
        c=group("c", "  hosts: env=prod\n  priority: 1\n  connection: {user: them}\n"),
        d=group("d", "  hosts: role=db\n  connection: {user: root}\n"),
        e=host("db-1", "role: db"),
    )

    assert problems(files) == [
        (
            "manifests/b.yaml:6:16: Group a and Group b disagree on user, for example on web-1."
            " Give one of them a higher priority"
        )
    ]


def test_apps_that_wait_for_each_other_are_named_in_order() -> None:
    def waits(name: str, *others: str) -> str:
        return app(f"  hosts: role=web\n  dependsOn: [{', '.join(f'{{app: {o}}}' for o in others)}]\n{EMPTY}", name)

    files = fleet(a=waits("a", "b"), b=waits("b", "d", "c"), c=waits("c", "a"), d=waits("d"), e=waits("e", "e", "a"))

    assert problems(files) == [
        "manifests/a.yaml:6:15: apps wait for each other: a -> b -> c -> a. Remove one of them",
        "manifests/e.yaml:6:15: apps wait for each other: e -> e. Remove one of them",
    ]


def test_apps_that_select_each_others_hosts_are_named() -> None:
    files = fleet(a=app(f"  hosts: app=b\n{EMPTY}", "a"), b=app(f"  hosts: app=a\n{EMPTY}", "b"))

    assert "manifests/a.yaml:5:10: apps select each other's hosts: a -> b -> a. Select by a label" in problems(files)


def test_templates_that_are_named_exist_and_are_text() -> None:
    resources = """\
  hosts: role=web
  resources:
  - file: {path: /a, template: nginx/sit.conf.j2}
  - file: {path: /b, source: logo.png}
  - file: {path: /c, template: nginx/site.conf.j2}
  - repository: {name: d, uri: u, key: nginx/key.asc}
  - repository: {name: e, uri: u, key: /usr/share/keyrings/e.gpg}
  - repository: {name: f, uri: u, key: "-----BEGIN PGP PUBLIC KEY BLOCK-----"}
"""
    files = with_templates(fleet(a=app(resources)), {"nginx/site.conf.j2": "x", "logo.png": b"\x89PNG"})

    assert problems(files) == [
        "manifests/a.yaml:7:32: templates/nginx/sit.conf.j2 does not exist. Did you mean nginx/site.conf.j2?",
        "manifests/a.yaml:8:30: templates/logo.png is not UTF-8 (byte 0x89 in line 1)",
        "manifests/a.yaml:10:40: templates/nginx/key.asc does not exist. Known: nginx/site.conf.j2",
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_conflict_that_a_merge_left_in_a_template_is_told_where_it_begins(end: str) -> None:
    text = end.join(["{{ a }}", "<<<<<<< HEAD", "b", "=======", "c", ">>>>>>> main", ""])
    heading = end.join(["Title", "=======", "<<<<<<< not the end", ""])

    (told,) = problems(with_templates(fleet(), {"x.conf": text, "x.txt": heading}))
    assert told.startswith("templates/x.conf:2: a conflict of git is not resolved. Choose one side, and delete")


def test_a_sandbox_host_gets_files_only() -> None:
    resources = """\
  hosts: role=web
  resources:
  - package: {name: nginx}
  - package: {name: curl}
    when: not host.sandbox
  - block:
      when: facts.os.id == 'debian' and not host.sandbox
      resources: [{service: {name: nginx}}]
  - service: {name: cron}
    when: facts.os.id == 'debian'
  - file: {path: /a, content: a, owner: www-data}
  - file: {path: /b, content: a, owner: "{{ 'root' if host.sandbox else 'www-data' }}"}
  health:
  - service: {name: nginx}
"""
    real = fleet(a=app(resources))
    sandbox = fleet(a=app(resources), b=host("box", spec="  sandboxRoot: .reconciler/sandbox/box\n"))

    exclude = "Exclude it there: when: not host.sandbox"
    assert problems(real) == []
    assert problems(sandbox) == [
        f"manifests/a.yaml:7:14: sandbox host box cannot have package:nginx. {exclude}",
        f"manifests/a.yaml:13:14: sandbox host box cannot have service:cron. {exclude}",
        f"manifests/a.yaml:15:41: sandbox host box cannot have owner www-data. {exclude}",
        f"manifests/a.yaml:18:14: sandbox host box cannot have service:nginx. {exclude}",
    ]


def test_validation_and_engine_agree_on_what_a_sandbox_cannot_have() -> None:
    assert RESOURCES.keys() == KINDS.keys()
    assert {kind for kind, model in RESOURCES.items() if not model.sandboxed} == NOT_IN_SANDBOX


def test_a_secret_of_any_layer_is_kept_out_of_argv() -> None:
    resources = """\
  hosts: role=web
  config: {user: root, pw: x}
  resources:
  - command: {argv: [mysql, "-u{{ user }}", "-p{{ pw }}"]}
  - command: {argv: [mysql], env: {MYSQL_PWD: "{{ pw }}"}}
  - mount: {path: /srv, device: //nas/a, fstype: cifs, options: "password={{ pw }}"}
"""
    plain = fleet(a=app(resources))
    secret = fleet(a=app(resources), h=host("h", spec="  config: {webapp: {pw: {secret: db/pw}}}\n"))

    assert problems(plain) == []
    assert problems(secret) == [
        "manifests/a.yaml:8:45: pw is a secret, and in argv every user of the host can see it. Use env or stdin",
        (
            "manifests/a.yaml:10:65: pw is a secret, and in argv every user of the host can see it."
            " Keep it in a file that only its reader can read"
        ),
    ]


def test_an_old_name_belongs_to_one_document_only() -> None:
    def renamed(name: str, old: str) -> str:
        return HOST.replace("name: web-1", f"name: {name}, formerly: [{old}]")

    assert problems(fleet(a=renamed("a", "was-a"))) == []
    assert problems(fleet(a=renamed("a", "Web-1"), b=renamed("b", "old"), c=renamed("c", "old"))) == [
        'manifests/a.yaml:3:32: "Web-1" is the name of Host web-1. Remove it from formerly',
        'manifests/c.yaml:3:32: Host b was formerly "old" too. Remove it from formerly',
    ]


def test_what_is_wrong_with_a_template_is_told_at_its_line() -> None:
    files = with_templates(fleet(), {"a.j2": "x\n{{ y\n", "b.j2": "{% include 'c.j2' %}{{ x | nofilter }}"})

    assert [text.split(": ")[0] for text in problems(files)] == ["templates/a.j2:2", "templates/b.j2:1"]


def test_a_file_that_is_only_copied_may_hold_braces() -> None:
    resources = "  hosts: role=web\n  resources:\n  - file: {path: /a, source: page.html}\n"
    files = with_templates(fleet(a=app(resources)), {"page.html": "{{ for the browser %}"})

    assert problems(files) == []


@pytest.mark.parametrize("root", ["/", "//", "/.", "/..", "/srv/..", "//./"])
def test_a_sandbox_is_not_the_machine_itself(root: str) -> None:
    found = problems(fleet(b=host("box", spec=f"  sandboxRoot: {root}\n")))

    assert found == [f"manifests/b.yaml:6:16: {root} is the machine itself. Give it a directory of its own"]
