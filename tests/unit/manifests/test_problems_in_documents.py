"""What is wrong with a document by itself: message, place and hint, as people read them.

In the tables `§` stands where the problem must be shown; the line below says what must be told there.
"""

import pytest

from tests.unit.manifests.trees import app, cases, fleet, group, host, marked, problems

RESOURCES = """\
file: {path: /x, content: x, mode: §0644}
    mode 644 is a number. Quote it: mode: "0644"
file: {path: /x, content: x, mode: §"rw-"}
    mode "rw-" is not three or four octal digits. Write it like mode: "0644"
file: {path: §etc/x, content: x}
    path "etc/x" is not absolute. Write path: /etc/x
file: {path: §/a/../b, content: x}
    path "/a/../b" holds "..". Write the path that is meant
file: {path: /x, content: x, §mod: x}
    unknown field "mod". Did you mean mode?
file: §{path: /x}
    file has no text. Add one of template, content or source
file: §{path: /x, content: a, source: b}
    file has content and source; it takes one of them. Keep one
file: {path: /x, template: §../x.j2}
    template "../x.j2" is not below templates/. Write it like nginx/site.conf.j2
file: {path: /x, content: §{{ x }}}
    {{ x }} is a map in YAML. Quote it: "{{ x }}"
file: §{path: /x, content: x, validate: [nginx, -t]}
    validate does not name the new file. Put %s where its path belongs
command: {§shell: "a | b", argv: [a]}
    unknown field "shell". A shell is a program like others: argv: [sh, -c, "..."]
command: §systemctl daemon-reload
    command must be a map, not text (systemctl daemon-reload). Write command: {argv: [systemctl, daemon-reload]}
file: {path: /x, content: a, §src: b}
    unknown field "src". Write template, or source for what is copied as it is: a file below templates/
§shell: a | b
    unknown kind of resource "shell". Write command: {argv: [sh, -c, "..."]}
§ansible.builtin.copy: {dest: /x}
    unknown kind of resource "ansible.builtin.copy". Write file: {path: ..., content: ...}
§fiel: {path: /x}
    unknown kind of resource "fiel". Did you mean file?
§file:
    file is empty
link: §{path: /x}
    target is missing. Add target: ../sites-available/web.conf
§package: {version: x}
    name is missing. Add name: nginx-light
package: {name: x, version: §1.10}
    version 1.1 is a number. Quote it: version: "1.10"
service: {name: x, enabled: §yes}
    enabled must be true or false, not text (yes)
service: {name: x, state: §runing}
    state runing is not running or stopped. Did you mean running?
service: {name: x, restartOn: §y}
    restartOn must be a list, not text (y). Write restartOn: [y]
command: {argv: §systemctl daemon-reload}
    argv is a list, one word each; no shell reads it. Write argv: [systemctl, daemon-reload]
command: {argv: [x, §{secret: a/b}]}
    a secret in argv is visible to every user of the host. Use env or stdin
command: {argv: [x], stdin: {secret: §a b}}
    "a b" is no path of a secret. Write it like {secret: webapp/password}
command: {argv: [x], timeout: §30}
    timeout 30 has no unit. Write timeout: 30s
command: {argv: [x], timeout: §soon}
    timeout "soon" is no duration. Write it like 90s, 5m or 1h30m
archive: §{source: 'https://x/y.tgz', path: /opt}
    an archive from a URL needs sha256. Add sha256: the checksum of the file
archive: {source: §app.tgz, path: /opt}
    source "app.tgz": it is neither an http or https URL nor a path on the host. Give a URL and its sha256
archive: {source: §'ftp://x/y.tgz', path: /opt}
    source "ftp://x/y.tgz": it is neither an http or https URL nor a path on the host. Give a URL and its sha256
archive: {source: 'https://x/y.tgz', sha256: §abc, path: /opt}
    sha256 "abc": it is no sha256. It has 64 digits: sha256sum FILE
cron: {name: §a.b, schedule: '@daily', command: x}
    name "a.b": cron reads only files whose names have letters, digits, - and _
cron: {name: x, schedule: §'0 24 * * *', command: x}
    schedule "0 24 * * *": "24" is no hour (0 to 23). Write it like "0 3 * * *" or "@daily"
cron: {name: x, schedule: '@daily', command: §'date +\\%F'}
    command "date +\\%F": % is escaped for cron by itself
repository: {name: §a b, uri: 'https://x', key: /k}
    name "a b": apt and dnf take letters, digits, _ . and -
mount: {path: /x, device: /d, fstype: §swap}
    fstype "swap": it is no type of a file system. Swap is not mounted
mount: {path: /x, device: /d, fstype: ext4, options: §'ro, nodev'}
    options "ro, nodev": it holds spaces. Write it like noatime,nofail
§reboot: {}
    unknown kind of resource "reboot". Known: archive, block, command, cron, directory, file, group, line ...
{file: {path: /x, content: x}, when: §'a =='}
    cannot evaluate 'a ==': unexpected 'end of template' (column 5)
{file: {path: /x, content: x}, when: §'{{ a }}'}
    an expression stands without {{ }}. Write when: a
{file: {path: /x, content: x}, forEach: §3}
    forEach must be a list, a map or an expression, not a number. Write forEach: [a, b]
{file: {path: /x, content: x}, §link: {path: /y, target: z}}
    file and link in one item. Give each its own -
§{name: x}
    this item names no resource. Write it like - file: {path: /etc/motd}
block: {when: a, resources: §[]}
    resources is empty
§5
    a resource is a map, not a number. Write it like - file: {path: /etc/motd}
"""


@pytest.mark.parametrize(("resource", "expected"), cases(RESOURCES))
def test_a_broken_resource_is_told_at_its_place(resource: str, expected: str) -> None:
    text, place = marked(app(f"  hosts: role=web\n  resources:\n  - {resource}\n"))

    assert problems(fleet(a=text)) == [f"manifests/a.yaml:{place}: {expected}"]


APP_FIELDS = """\
hosts: §role="web
    cannot read selector at "role="web"; expected key=value, key in (a,b), key, !key or "*"
hosts: §role in (web
    cannot read selector at "role in (web"; expected key=value, key in (a,b), key, !key or "*"
hosts: §{role: 5}
    label role 5 is a number. Quote it: role: "5"
hosts: §{}
    hosts is empty. All hosts are hosts: "*"
§hosts:
    hosts is empty
sync: §manul
    sync manul is not auto or manual. Did you mean manual?
prune: §some
    prune must be true, false or all, not some
§verifyEvry: 5m
    unknown field "verifyEvry". Did you mean verifyEvery?
config: {§nginx-port: 80}
    "nginx-port" is no name that a template can read. Did you mean nginx_port?
config: {§host: a}
    "host" has a meaning of its own in templates. Choose another name
config: {a: {secret: §5}}
    the path of a secret is text, not a number. Write it like {secret: webapp/password}
health: [§{http: {url: x}, tcp: {port: 80}}]
    a health check takes one of http, tcp, command, service, tls. Give each its own -
metrics: [§{name: x}]
    a metric takes one of command, url and textfile. Keep one
rollout: {steps: [{batch: §0}]}
    batch 0 is no number of hosts. Write it like 2 or 25%
rollout: {steps: [{batch: 1, gate: §'('}]}
    cannot evaluate '(': unexpected 'end of template' (column 2)
rollout: {steps: §[]}
    steps is empty
"""


@pytest.mark.parametrize(("line", "expected"), cases(APP_FIELDS))
def test_a_broken_field_of_an_app_is_told_at_its_place(line: str, expected: str) -> None:
    hosts = "" if "hosts" in line else "  hosts: role=web\n"
    text, place = marked(app(f"  {line}\n{hosts}  resources: []\n"))

    assert problems(fleet(a=text)) == [f"manifests/a.yaml:{place}: {expected}"]


HOST_FIELDS = """\
connection: {port: §70000}
    port must be at most 65535, not 70000
connection: {hostKey: §sha256 of it}
    hostKey is neither a public key nor a fingerprint. Write SHA256:... or ssh-ed25519 AAAA...
connection: {hostKey: §SHA256:tooshort}
    hostKey is neither a public key nor a fingerprint. Write SHA256:... or ssh-ed25519 AAAA...
connection: {hostKey: §ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f}
    hostKey is neither a public key nor a fingerprint. Write SHA256:... or ssh-ed25519 AAAA...
connection: {type: §shh}
    type shh is not ssh, agent or local. Did you mean ssh?
maintenance: {until: §2026-01-01, reason: y}
    until 2026-01-01 has no time zone. Write it like 2026-07-01T18:00:00Z
vars: §[a]
    vars must be a map, not a list
vars: {a: 1, §secret: x}
    "secret" has a meaning of its own in values. Choose another name
vars: {a: 1, §a: 2}
    key "a" stands twice in this map. Keep one of them
vars: {§1: 2}
    key 1 is not text. Quote it: "1"
vars: {a: §!!python/name:os.system x}
    tags such as tag:yaml.org,2002:python/name:os.system are not supported. Remove it
vars: {a: §.inf}
    number .inf is too large or not finite. Quote it: ".inf"
vars: {a: §"{{ b"}
    unexpected end of template, expected 'end of print statement'
"""


@pytest.mark.parametrize(("line", "expected"), cases(HOST_FIELDS))
def test_a_broken_field_of_a_host_is_told_at_its_place(line: str, expected: str) -> None:
    text, place = marked(host("x", spec=f"  {line}\n"))

    assert problems(fleet(x=text)) == [f"manifests/x.yaml:{place}: {expected}"]


METADATA = """\
{name: x, labels: {role: §5}}
    role 5 is a number. Quote it: role: "5"
{name: x, labels: {on: §true}}
    on true is a boolean. Quote it: on: "true"
{name: x, labels: {§app: web}}
    "app" is no label: selectors give it a meaning of its own. Choose another word
{name: x, labels: {§secret: "yes"}}
    "secret" is no label: {secret: ...} refers to a secret. Choose another word
{name: §5, labels: {role: web}}
    name 5 is a number. Quote it: name: "5"
{name: §a b, labels: {role: web}}
    "a b" is no name. Use letters, digits, - . and _; first a letter or digit; at most 63 characters
"""


@pytest.mark.parametrize(("metadata", "expected"), cases(METADATA))
def test_broken_metadata_is_told_at_its_place(metadata: str, expected: str) -> None:
    head = f"apiVersion: reconciler/v1\nkind: Host\nmetadata: {metadata}\n"
    text, place = marked(f"{head}spec: {{address: x}}\n")

    assert problems(fleet(x=text)) == [f"manifests/x.yaml:{place}: {expected}"]


DOCUMENTS = [
    (
        "§- a\n",
        "a manifest is a map, not a list. Write apiVersion: reconciler/v1, kind, metadata and spec",
    ),
    (
        "§kind: Host\nmetadata: {name: x}\nspec: {}\n",
        "apiVersion is missing. Write apiVersion: reconciler/v1, kind, metadata and spec",
    ),
    (
        "apiVersion: §v1\nkind: Host\n",
        "apiVersion v1 is not known. Write apiVersion: reconciler/v1",
    ),
    (
        "apiVersion: reconciler/v1\nkind: §Hots\n",
        'unknown kind "Hots". Did you mean Host?',
    ),
    (
        "§apiVersion: reconciler/v1\nkind: Host\nmetadata: {name: x}\n",
        "spec is missing. Add spec: {}",
    ),
]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_a_document_that_is_no_manifest_is_told(text: str, expected: str) -> None:
    unmarked, place = marked(text)

    assert problems(fleet(x=unmarked)) == [f"manifests/x.yaml:{place}: {expected}"]


def test_a_broken_parameter_of_a_job_is_told() -> None:
    text = (
        "apiVersion: reconciler/v1\nkind: Job\nmetadata: {name: j}\nspec:\n"
        "  steps: [{command: {argv: [x]}}]\n  params:\n"
        "    a-b: {}\n"
        "    c: {type: integer, default: x}\n"
        "    d: {pattern: '['}\n"
        "    e: {required: true, default: x}\n"
        "    f: {pattern: '[0-9]+', default: x}\n"
        "    g: {pattern: '[a-z0--9]+'}\n"
        f"    h: {{pattern: '(a|aa)+b', default: {'a' * 100}}}\n"
    )
    alone = text.replace("    a-b: {}\n", "")

    assert problems(fleet(j=text)) == ['manifests/j.yaml:7:5: "a-b" is no variable name. Use letters, digits and _']
    assert problems(fleet(j=alone)) == [
        "manifests/j.yaml:7:33: default is no integer",
        "manifests/j.yaml:8:18: pattern is no regular expression: unterminated character set at position 0",
        "manifests/j.yaml:9:34: e is required, so its default is never used. Remove one of them",
        'manifests/j.yaml:10:37: the default "x" does not match pattern',
        "manifests/j.yaml:11:18: pattern is ambiguous: possible set difference at position 5. Put a \\ before it",
        "manifests/j.yaml:12:18: pattern (a|aa)+b takes too long to match, it backtracks without end",
    ]


def test_everything_wrong_in_a_tree_is_told_at_once() -> None:
    found = problems(
        fleet(
            a=app("  hosts: role=wbe\n  verifyEvry: 5m\n  resources:\n  - file: {path: x, content: 5}\n  - fil: {}\n"),
            b="a: [",
            c=group("g", "  hosts: role=web\n  priority: high\n"),
        )
    )

    assert found == [
        'manifests/a.yaml:6:3: unknown field "verifyEvry". Did you mean verifyEvery?',
        'manifests/a.yaml:8:18: path "x" is not absolute. Write path: /x',
        'manifests/a.yaml:8:30: content 5 is a number. Quote it: content: "5"',
        'manifests/a.yaml:9:5: unknown kind of resource "fil". Did you mean file?',
        "manifests/b.yaml:1:5: not valid YAML: expected the node content, but found '<stream end>'",
        "manifests/c.yaml:6:13: priority must be a whole number, not text (high)",
    ]


def test_resources_that_claim_the_same_thing_are_told() -> None:
    resources = """\
  hosts: role=web
  resources:
  - file: {path: /x, content: a}
  - link: {path: /x/, target: /y}
  - package: {name: [a, b]}
  - package: {name: b}
  - file: {path: /a, content: a}
    name: one
  - file: {path: /b, content: a}
    name: one
  - file: {path: /c, content: a}
    when: host.labels.env == 'prod'
  - file: {path: /c, content: b}
    when: host.labels.env != 'prod'
"""
    assert problems(fleet(a=app(resources))) == [
        'manifests/a.yaml:8:5: path "/x" is declared twice in this list. Keep one, or give both a when',
        'manifests/a.yaml:10:5: package "b" is declared twice in this list. Keep one, or give both a when',
        'manifests/a.yaml:13:5: name "one" is declared twice in this list. Keep one, or give both a when',
    ]


def test_a_service_waits_only_for_resources_that_are_there() -> None:
    resources = """\
  hosts: role=web
  resources:
  - file: {path: /x, content: a}
    name: site
  - file: {path: /y, content: a}
  - service: {name: nginx, reloadOn: [site, sit, "file:/y", "path:/etc/nginx/*"], restartOn: [site, nope]}
"""
    assert problems(fleet(a=app(resources))) == [
        'manifests/a.yaml:10:45: reloadOn names no resource "sit". Did you mean site?',
        'manifests/a.yaml:10:101: restartOn names no resource "nope". Known: file:/y, service:nginx, site',
    ]


@pytest.mark.parametrize(
    ("kind", "told"),
    [("[App]", "kind is text, not a list"), ("{}", "kind is text, not a map"), ("null", "kind is empty")],
)
def test_a_kind_that_is_no_text_is_a_problem(kind: str, told: str) -> None:
    text = f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n"

    (problem,) = problems(fleet(x=text))
    assert problem == f"manifests/x.yaml:2:7: {told}. Known: Alert, App, Channel, Fleet, Freeze, Group, Host, Job ..."


def test_a_step_that_is_empty_without_its_unknown_fields_is_a_problem() -> None:
    text = app("  hosts: role=web\n  resources: []\n  rollout: {steps: [{file: {path: /x}}]}\n")

    empty, unknown = problems(fleet(a=text))
    assert 'unknown field "file"' in unknown
    assert "a step takes hosts or batch. Keep one" in empty


def test_a_field_named_as_pydantic_marks_keys_is_only_unknown() -> None:
    assert any("unknown field" in line for line in problems(fleet(x=host("x", spec='  "[key]": 1\n'))))


def test_only_the_first_hundred_problems_of_a_file_are_told() -> None:
    fields = "".join(f"  field{number}: 1\n" for number in range(250))

    found = problems(fleet(x=host("x", spec=fields), y=host("y", spec="  field: 1\n")))
    assert len(found) == 102
    assert found[100] == "manifests/x.yaml:106:3: and 150 more problems in this file"
    assert found[101].startswith('manifests/y.yaml:6:3: unknown field "field".')


LONG = {
    "a selector": app(f'  hosts: "x y {"9" * 300}"\n  resources: []\n'),
    "a selector as a map": app(f'  hosts: {{a: "x {"y" * 300}"}}\n  resources: []\n'),
    "a duration": app(f"  hosts: role=web\n  resources: []\n  verifyEvery: {'9' * 300}m\n"),
    "a condition": app(
        f'  hosts: role=web\n  resources: [{{file: {{path: /a, content: b}}, when: "a b {"c" * 300}"}}]\n'
    ),
    "a kind": f"apiVersion: reconciler/v1\nkind: {'x' * 300}\nmetadata: {{name: x}}\nspec: {{}}\n",
    "a version": f"apiVersion: {'x' * 300}\nkind: App\nmetadata: {{name: x}}\nspec: {{}}\n",
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_text_is_quoted_in_part(text: str) -> None:
    (problem,) = problems(fleet(a=text))
    assert "..." in problem
    assert len(problem) < 220


SCHEDULE_FIELDS = """\
cron: §0 0 30 2 *
    cron "0 0 30 2 *" never fires. There is no such day in these months
cron: §61 * * * *
    cron "61 * * * *" has a bad minute. It is 0 to 59; also *, 1-5, 1,3 and */2
cron: §'@daily'
    cron "@daily" has 1 fields. Write it out: "0 0 * * *"
every: §0s
    every must be at least 1, not 0s
{cron: 0 3 * * *, timezone: §Europe/Berlim}
    there is no time zone "Europe/Berlim". Did you mean Europe/Berlin?
"""


@pytest.mark.parametrize(("times", "expected"), cases(SCHEDULE_FIELDS))
def test_a_broken_time_of_a_schedule_is_told_at_its_place(times: str, expected: str) -> None:
    lines = times.strip("{}").replace(", timezone", "\n  timezone")
    head = "apiVersion: reconciler/v1\nkind: Schedule\nmetadata: {name: s}\n"
    text, place = marked(f"{head}spec:\n  {lines}\n  hosts: '*'\n  job: backup\n")

    assert f"manifests/a.yaml:{place}: {expected}" in problems(fleet(a=text))
