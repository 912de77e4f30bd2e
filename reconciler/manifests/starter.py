"""What `reconcile init` writes: the smallest fleet that works, one sandboxed host on this machine."""

from __future__ import annotations

from collections.abc import Mapping

_FLEET = """\
# yaml-language-server: $schema=.schema/fleet.json
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: my-fleet}
spec: {}
"""

_HOST = """\
# yaml-language-server: $schema=../.schema/host.json
# A sandbox on this machine: every path lies below sandboxRoot. Without sandboxRoot this would be the machine itself.
apiVersion: reconciler/v1
kind: Host
metadata:
  name: local
  labels: {role: web}
spec:
  address: 127.0.0.1
  connection: {type: local}
  sandboxRoot: .reconciler/sandbox/local
"""

_APP = """\
# yaml-language-server: $schema=../.schema/app.json
apiVersion: reconciler/v1
kind: App
metadata: {name: hello}
spec:
  hosts: role=web
  config:
    greeting: Hello
  resources:
    - directory: {path: /etc/hello}
    - file: {path: /etc/hello/greeting.txt, template: hello/greeting.txt.j2}
"""

_TEMPLATE = """\
{{ greeting }} from {{ host.name }}.
"""

STARTER: Mapping[str, str] = {
    "manifests/fleet.yaml": _FLEET,
    "manifests/hosts/local.yaml": _HOST,
    "manifests/apps/hello.yaml": _APP,
    "templates/hello/greeting.txt.j2": _TEMPLATE,
}
"""Path in the repository -> text."""
