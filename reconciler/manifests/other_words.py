"""What people write who come from Ansible, and what we write for it: hints where did-you-mean finds nothing near.

Called where a kind of resource or one of its fields is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.manifests.findings import did_you_mean

_SHELL = 'argv: [sh, -c, "..."]'
_PACKAGE = "package: {name: ...}"
_KINDS: Mapping[str, str] = {
    "shell": f"command: {{{_SHELL}}}",
    "raw": f"command: {{{_SHELL}}}",
    "script": f"command: {{{_SHELL}}}",
    "copy": "file: {path: ..., content: ...}",
    "template": "file: {path: ..., template: ...}",
    "apt": _PACKAGE,
    "dnf": _PACKAGE,
    "yum": _PACKAGE,
    "apk": _PACKAGE,
    "apt_repository": "repository: {name: ..., uri: ...}",
    "yum_repository": "repository: {name: ..., uri: ...}",
    "systemd": "service: {name: ...}",
    "systemd_service": "service: {name: ...}",
    "lineinfile": "line: {path: ..., line: ...}",
    "unarchive": "archive: {source: ..., path: ...}",
    "authorized_key": "user: {name: ..., authorizedKeys: [...]}",
}
"""A module of Ansible -> the resource that does that."""
_FIELDS: Mapping[str, tuple[str, str]] = {
    "shell": ("argv", f"A shell is a program like others: {_SHELL}"),
    "cmd": ("argv", f"Write argv: [program, word]; for a shell {_SHELL}"),
    "chdir": ("cwd", "Write cwd"),
    "dest": ("path", "Write path"),
    "src": ("template", "Write template, or source for what is copied as it is: a file below templates/"),
}
"""A field of a module -> the field of ours that a kind must have for that, and what to write."""


def kind_meant(word: str, kinds: Collection[str]) -> str:
    """A hint for a kind of resource that there is not."""
    meant = _KINDS.get(word.rpartition(".")[2])
    return f"Write {meant}" if meant else did_you_mean(word, kinds)


def map_meant(kind: str, text: str) -> str:
    """A hint for text where a kind takes a map: Ansible takes the words of a command."""
    return f"Write command: {{argv: [{', '.join(text.split())}]}}" if kind == "command" else ""


def field_meant(word: str, fields: Collection[str]) -> str:
    """A hint for a field that a kind does not have."""
    ours, hint = _FIELDS.get(word, ("", ""))
    return hint if ours in fields else did_you_mean(word, fields)
