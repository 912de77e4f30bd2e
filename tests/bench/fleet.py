"""Writes a large made-up fleet: every host runs five apps, every app has twenty resources."""

from pathlib import Path

HOSTS = 10_000
HOSTS_A_FILE = 100
ROLES = 10
APPS_A_HOST = 5
RESOURCES = 20

HOST = """\
---
apiVersion: reconciler/v1
kind: Host
metadata:
  name: host-{number:05}
  labels: {{role: role-{role}, env: {env}, zone: zone-{zone}}}
spec:
  address: 10.{a}.{b}.{c}
"""

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {{name: {name}, labels: {{team: team-{role}}}}}
spec:
  hosts: role=role-{role}
  config:
    port: {port}
    root: /srv/{name}
    workers: 4
    log_level: info
  resources:
    - directory: {{path: /srv/{name}}}
    - directory: {{path: /etc/{name}}}
    - package: {{name: {name}}}
{files}
    - service: {{name: {name}, restartOn: ["path:/etc/{name}/*"]}}
  health:
    - tcp: {{port: {port}}}
"""

FILE = '    - file: {{path: "/etc/{name}/part-{part:02}.conf", template: {name}/{shared}.conf.j2}}'

TEMPLATE = """\
# {name} on {{{{ host.name }}}}, part {part}
listen = {{{{ host.address }}}}:{{{{ port }}}}
root = {{{{ root }}}}
workers = {{{{ workers }}}}
{{% if host.labels.env == "production" %}}
log_level = {{{{ log_level }}}}
{{% else %}}
log_level = debug
{{% endif %}}
"""

GROUP = """\
apiVersion: reconciler/v1
kind: Group
metadata: {{name: {env}}}
spec:
  hosts: env={env}
  config:
{config}
"""

ENVIRONMENTS = ("production", "staging")


def write(root: Path, hosts: int = HOSTS, templates: int = 4) -> None:
    """Write the fleet's manifests below `root`, and so many templates for each app."""
    _text(root / "manifests/fleet.yaml", "apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {name: bench}\nspec: {}\n")
    for first in range(0, hosts, HOSTS_A_FILE):
        several = "".join(host(number) for number in range(first, min(first + HOSTS_A_FILE, hosts)))
        _text(root / f"manifests/hosts/{first:05}.yaml", several)
    names = [_write_app(root, role, number, templates) for role in range(ROLES) for number in range(APPS_A_HOST)]
    for priority, env in enumerate(ENVIRONMENTS):
        config = "\n".join(f"    {name}: {{workers: {8 - 4 * priority}}}" for name in names)
        _text(root / f"manifests/groups/{env}.yaml", GROUP.format(env=env, config=config))


def host(number: int) -> str:
    """One Host document."""
    return HOST.format(
        number=number,
        role=number % ROLES,
        env=ENVIRONMENTS[number % 7 == 0],
        zone=number % 3,
        a=number >> 16,
        b=number >> 8 & 255,
        c=number & 255,
    )


def app_manifest(role: int, number: int, templates: int) -> str:
    """One App document."""
    port = 8000 + number
    name = app_name(role, number)
    others = 4  # two directories, a package and a service
    files = "\n".join(FILE.format(name=name, part=part, shared=part % templates) for part in range(RESOURCES - others))
    return APP.format(name=name, role=role, port=port, files=files)


def app_name(role: int, number: int) -> str:
    """The name of a role's app."""
    return f"app-{role}-{number}"


def _write_app(root: Path, role: int, number: int, templates: int) -> str:
    name = app_name(role, number)
    _text(root / f"manifests/apps/{name}.yaml", app_manifest(role, number, templates))
    for part in range(templates):
        _text(root / f"templates/{name}/{part}.conf.j2", TEMPLATE.format(name=name, part=part))
    return name


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
