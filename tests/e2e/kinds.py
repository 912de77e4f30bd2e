"""Every kind of resource with its life on a host: what is declared, what others do to it, and what a witness then sees.

`story` takes all of them through their lives at once; `test_kinds` says what must be true at each stage. A witness is
testinfra or a program of the host, never code of ours.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from testinfra.host import Host as Witness

from tests.e2e import packages

NOTHING: object = None
"""What a witness sees of something that is not there."""
SHELF = "/srv/shelf"
"""Where a host finds what the resources are made from."""
UNIT = "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGdbs8OYwVJ2wYSKvzqWrXkLTOjCFzkWWPnJqdWMQEPB e2e"


@dataclass(frozen=True)
class Kind:
    """One kind of resource. It is declared in an app of the same name, so that each fails or succeeds for itself."""

    name: str
    witness: Callable[[Witness], object]
    """What there is to see of it on a host."""
    first: str
    """Its resources, as YAML in one line."""
    created: object
    """What is seen after `first`."""
    second: str
    changed: object
    """What is seen after `second`."""
    drift: str
    """A shell command by which someone changes it behind our back."""
    broken: str
    """Resources that cannot be had; what is there must be as before afterwards."""
    complaint: str
    """What the error says then."""
    pruned: object
    """What is seen after it left the manifests."""
    foreign: str
    """A shell command by which someone makes such a thing of his own, before us."""
    found: object
    """What is seen of that."""
    refused: bool = True
    """Whether `adopt: refuse` keeps us away from it; else it is only brought to its state."""
    left: object = field(default=...)
    """What stays of an adopted one when it leaves the manifests; else all of `changed`."""

    @property
    def kept(self) -> object:
        """See `left`."""
        return self.changed if self.left is ... else self.left


def stock(host_files: Path) -> str:
    """Put on a host what the resources are made from; the public key of its package repository.

    Args:
        host_files: the file system of the host.
    """
    shelf = host_files / SHELF.lstrip("/")
    key = packages.publish(shelf / "packages")
    for name in ("signed", "moved"):
        (shelf / name).symlink_to("packages")
    trusted = f"deb [trusted=yes] file:{SHELF}/packages ./\n"
    (host_files / "etc/apt/sources.list.d/shelf.list").write_text(trusted)
    for version in ("one", "two"):
        with tarfile.open(shelf / f"{version}.tar", "w") as archive:
            member = tarfile.TarInfo("app/version")
            member.size = len(version)
            archive.addfile(member, io.BytesIO(version.encode()))
    return key


def file_text_and_mode(path: str) -> Callable[[Witness], object]:
    """A file's text and mode."""

    def see(host: Witness) -> object:
        file = host.file(path)
        return (file.content_string, oct(file.mode)) if file.exists else NOTHING

    return see


def file_text(path: str) -> Callable[[Witness], object]:
    """A file's text."""
    return lambda host: host.file(path).content_string if host.file(path).exists else NOTHING


def _directory(host: Witness) -> object:
    place = host.file("/srv/directory")
    return (place.user, oct(place.mode)) if place.is_directory else NOTHING


def _link(host: Witness) -> object:
    return host.file("/srv/link").linked_to if host.file("/srv/link").is_symlink else NOTHING


def _package(host: Witness) -> object:
    package = host.package(packages.NAME)
    return (
        (package.version, host.file(f"/usr/share/{packages.NAME}/version").exists) if package.is_installed else NOTHING
    )


def _service(host: Witness) -> object:
    service = host.service("e2e")
    return {"running": service.is_running, "enabled": service.is_enabled}


def _user(host: Witness) -> object:
    user = host.user("e2e-user")
    if not user.exists:
        return NOTHING
    keys = host.file("/home/e2e-user/.ssh/authorized_keys")
    expired = host.check_output("getent shadow e2e-user | cut -d: -f8") == "1"
    return {"shell": user.shell, "key": keys.exists and PUBLIC_KEY in keys.content_string, "locked": expired}


def _group(host: Witness) -> object:
    group = host.group("e2e-group")
    return group.gid if group.exists else NOTHING


def _sysctl(host: Witness) -> object:
    at_boot = host.file("/etc/sysctl.d/99-zz-net.ipv4.tcp_retries2.conf")
    return {"now": host.sysctl("net.ipv4.tcp_retries2"), "at boot": at_boot.exists}


def _cron(host: Witness) -> object:
    entry = host.file("/etc/cron.d/e2e")
    return entry.content_string.splitlines()[-1] if entry.exists else NOTHING


def _repository(host: Witness) -> object:
    sources = host.file("/etc/apt/sources.list.d/e2e.sources")
    if not sources.exists:
        return NOTHING
    (uri,) = (line.split()[1] for line in sources.content_string.splitlines() if line.startswith("URIs:"))
    return {"uri": uri, "read": uri in host.check_output("apt-get indextargets --format '$(REPO_URI)'")}


def _mount(host: Witness) -> object:
    mounted = host.mount_point("/srv/mount")
    now = sorted({"noexec", "nosuid"} & set(mounted.options)) if mounted.exists else NOTHING
    return {"now": now, "at boot": "/srv/mount" in host.file("/etc/fstab").content_string}


def _block(host: Witness) -> object:
    return host.check_output("cd /srv/block 2>/dev/null && grep -r . | sort || true").splitlines()


KINDS = (
    Kind(
        "file",
        file_text_and_mode("/srv/file"),
        first='- file: {path: /srv/file, content: "one\\n", mode: "0640"}',
        created=("one\n", "0o640"),
        second='- file: {path: /srv/file, content: "two\\n"}',
        changed=("two\n", "0o644"),
        drift="echo by hand > /srv/file; chmod 0600 /srv/file",
        broken='- file: {path: /srv/file, content: "three\\n", validate: [grep, two, "%s"]}',
        complaint="refuses",
        pruned=NOTHING,
        foreign="echo theirs > /srv/file",
        found=("theirs\n", "0o644"),
    ),
    Kind(
        "directory",
        _directory,
        first='- directory: {path: /srv/directory, mode: "0750"}',
        created=("root", "0o750"),
        second="- directory: {path: /srv/directory, owner: ops}",
        changed=("ops", "0o755"),
        drift="chmod 0700 /srv/directory",
        broken="- directory: {path: /srv/directory, owner: nobody-here}",
        complaint="nobody-here",
        pruned=NOTHING,
        foreign="mkdir -m 0700 /srv/directory",
        found=("root", "0o700"),
    ),
    Kind(
        "link",
        _link,
        first="- link: {path: /srv/link, target: /srv/one}",
        created="/srv/one",
        second="- link: {path: /srv/link, target: two}",
        changed="/srv/two",
        drift="ln -sfn elsewhere /srv/link",
        broken="- link: {path: /etc/hostname/link, target: two}",
        complaint="/etc/hostname",
        pruned=NOTHING,
        foreign="ln -s theirs /srv/link",
        found="/srv/theirs",
    ),
    Kind(
        "package",
        _package,
        first=f'- package: {{name: {packages.NAME}, version: "1.0"}}',
        created=("1.0", True),
        second=f'- package: {{name: {packages.NAME}, version: "2.*"}}',
        changed=("2.0", True),
        drift=f"dpkg --purge {packages.NAME}",
        broken=f'- package: {{name: {packages.NAME}, version: "9.9"}}',
        complaint="9.9",
        pruned=("2.0", True),
        foreign=f"apt-get install --quiet --yes --allow-downgrades {packages.NAME}=1.0",
        found=("1.0", True),
        refused=False,
    ),
    Kind(
        "service",
        _service,
        first=f'- file: {{path: /etc/systemd/system/e2e.service, content: "{UNIT}"}}\n'
        "    - service: {name: e2e, enabled: false}",
        created={"running": True, "enabled": False},
        second=f'- file: {{path: /etc/systemd/system/e2e.service, content: "{UNIT}"}}\n    - service: {{name: e2e}}',
        changed={"running": True, "enabled": True},
        drift="systemctl disable --now e2e",
        broken="- service: {name: nothing-here}",
        complaint="there is no service nothing-here",
        pruned={"running": False, "enabled": False},
        foreign=f"printf '{UNIT}' > /etc/systemd/system/e2e.service; systemctl daemon-reload",
        found={"running": False, "enabled": False},
        refused=False,
    ),
    Kind(
        "user",
        _user,
        first="- user: {name: e2e-user, shell: /bin/sh}",
        created={"shell": "/bin/sh", "key": False, "locked": False},
        second=f'- user: {{name: e2e-user, shell: /bin/bash, authorizedKeys: ["{PUBLIC_KEY}"]}}',
        changed={"shell": "/bin/bash", "key": True, "locked": False},
        drift="usermod --shell /bin/false e2e-user; rm /home/e2e-user/.ssh/authorized_keys",
        broken="- user: {name: e2e-user, groups: [nothing-here]}",
        complaint="nothing-here",
        pruned={"shell": "/bin/bash", "key": False, "locked": True},
        foreign="usermod --expiredate '' --shell /bin/false e2e-user",
        found={"shell": "/bin/false", "key": False, "locked": False},
    ),
    Kind(
        "group",
        _group,
        first="- group: {name: e2e-group, gid: 4001}",
        created=4001,
        second="- group: {name: e2e-group, gid: 4002}",
        changed=4002,
        drift="groupmod --gid 4003 e2e-group",
        broken="- group: {name: e2e-group, gid: 0}",
        complaint="GID '0' already exists",
        pruned=4002,
        foreign="groupmod --gid 4004 e2e-group",
        found=4004,
    ),
    Kind(
        "command",
        file_text("/srv/command"),
        first='- command: {argv: [sh, -c, "echo one > /srv/command"], creates: /srv/command}\n      name: write',
        created="one\n",
        second='- command: {argv: [sh, -c, "echo two > /srv/command"], unless: [grep, two, /srv/command]}\n'
        "      name: write",
        changed="two\n",
        drift="echo by hand > /srv/command",
        broken='- command: {argv: [sh, -c, "echo no such luck >&2; false"]}\n      name: write',
        complaint="no such luck",
        pruned="two\n",
        foreign="echo theirs > /srv/command",
        found="theirs\n",
        refused=False,
    ),
    Kind(
        "archive",
        file_text("/srv/archive/version"),
        first=f"- archive: {{source: {SHELF}/one.tar, path: /srv/archive, strip: 1}}",
        created="one",
        second=f"- archive: {{source: {SHELF}/two.tar, path: /srv/archive, strip: 1}}",
        changed="two",
        drift="echo by hand > /srv/archive/version",
        broken=f"- archive: {{source: {SHELF}/two.tar, path: /srv/archive, strip: 1, sha256: {'ab' * 32}}}",
        complaint="sha256",
        pruned=NOTHING,
        foreign="mkdir /srv/archive; printf theirs > /srv/archive/version",
        found="theirs",
    ),
    Kind(
        "sysctl",
        _sysctl,
        first="- sysctl: {key: net.ipv4.tcp_retries2, value: 9}",
        created={"now": 9, "at boot": True},
        second="- sysctl: {key: net.ipv4.tcp_retries2, value: 10}",
        changed={"now": 10, "at boot": True},
        drift="sysctl -w net.ipv4.tcp_retries2=11",
        broken="- sysctl: {key: net.ipv4.tcp_retries2, value: many}",
        complaint="Invalid argument",
        pruned={"now": 10, "at boot": False},
        foreign="sysctl -w net.ipv4.tcp_retries2=12",
        found={"now": 12, "at boot": False},
        refused=False,
        left={"now": 10, "at boot": False},
    ),
    Kind(
        "line",
        file_text("/srv/line"),
        first='- line: {path: /srv/line, line: port one, match: "^port "}',
        created="port one\n",
        second='- line: {path: /srv/line, line: port two, match: "^port "}',
        changed="port two\n",
        drift="echo port other > /srv/line",
        broken="- line: {path: /etc/hostname/line, line: port three}",
        complaint="/etc/hostname",
        pruned="",
        foreign="echo port theirs > /srv/line",
        found="port theirs\n",
        refused=False,
        left="",
    ),
    Kind(
        "cron",
        _cron,
        first='- cron: {name: e2e, schedule: "0 3 * * *", command: /bin/true}',
        created="0 3 * * * root /bin/true",
        second='- cron: {name: e2e, schedule: "0 4 * * *", command: "date +%F", user: ops}',
        changed="0 4 * * * ops date +\\%F",
        drift="rm /etc/cron.d/e2e",
        broken='- cron: {name: e2e, schedule: "0 5 * * *", command: /bin/true, user: nobody-here}',
        complaint="nobody-here",
        pruned=NOTHING,
        foreign="echo '@daily root theirs' > /etc/cron.d/e2e",
        found="@daily root theirs",
    ),
    Kind(
        "repository",
        _repository,
        first=f'- repository: {{name: e2e, uri: "file:{SHELF}/signed", suites: ./, key: e2e.asc}}',
        created={"uri": f"file:{SHELF}/signed", "read": True},
        second=f'- repository: {{name: e2e, uri: "file:{SHELF}/moved", suites: ./, key: e2e.asc}}',
        changed={"uri": f"file:{SHELF}/moved", "read": True},
        drift="rm /etc/apt/sources.list.d/e2e.sources",
        broken=f'- repository: {{name: e2e, uri: "file:{SHELF}/nothing-here", suites: ./, key: e2e.asc}}',
        complaint="nothing-here",
        pruned=NOTHING,
        foreign="echo 'Types: deb\nURIs: file:/srv/theirs\nSuites: ./' > /etc/apt/sources.list.d/e2e.sources",
        found={"uri": "file:/srv/theirs", "read": False},
    ),
    Kind(
        "mount",
        _mount,
        first="- mount: {path: /srv/mount, device: tmpfs, fstype: tmpfs}",
        created={"now": [], "at boot": True},
        second='- mount: {path: /srv/mount, device: tmpfs, fstype: tmpfs, options: "noexec,size=1m"}',
        changed={"now": ["noexec"], "at boot": True},
        drift="umount /srv/mount",
        broken="- mount: {path: /srv/mount, device: nothing-here, fstype: ext4}",
        complaint="mount of /srv/mount failed",
        pruned={"now": NOTHING, "at boot": False},
        foreign="mount -t tmpfs -o nosuid theirs /srv/mount",
        found={"now": ["nosuid"], "at boot": False},
    ),
    Kind(
        "block",
        _block,
        first="- block:\n        forEach: [a, b]\n        resources:\n"
        '          - file: {path: "/srv/block/{{ item }}", content: "one\\n"}',
        created=["a:one", "b:one"],
        second="- block:\n        forEach: [b, c]\n        resources:\n"
        '          - file: {path: "/srv/block/{{ item }}", content: "two\\n"}',
        changed=["b:two", "c:two"],
        drift="rm /srv/block/b; echo by hand > /srv/block/c",
        broken="- block:\n        forEach: [b, nothing-here]\n        resources:\n"
        '          - file: {path: "/srv/block/{{ item }}", content: "three\\n", validate: [test, -e, "/{{ item }}%s"]}',
        complaint="refuses",
        pruned=[],
        foreign="mkdir /srv/block; echo theirs > /srv/block/b",
        found=["b:theirs"],
        left=["b:two"],
    ),
)
