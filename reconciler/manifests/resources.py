"""One model per kind of resource: what may stand inside the one-key map of an app's or a job's list.

Used by `nodes` for validation and by `schemas`; the values themselves stay as written, the engine reads them rendered.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from reconciler.manifests.door import Door, failure, not_text, shown
from reconciler.manifests.fields import (
    TEMPLATED,
    AbsolutePath,
    Argv,
    Boolean,
    Filled,
    Integer,
    Mode,
    Seconds,
    Text,
    TextOrSecret,
    is_template,
)
from reconciler.resources.tools.crontab import command_problem, name_problem, schedule_problem


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) and not is_template(value) else value


Words: TypeAlias = Annotated[list[Filled], TEMPLATED]
OneOrMore: TypeAlias = Annotated[list[Filled], TEMPLATED, BeforeValidator(_listed)]
SecretWords: TypeAlias = Annotated[list[TextOrSecret], TEMPLATED]
State: TypeAlias = Annotated[Literal["present", "absent"], TEMPLATED]


def _template_name(value: Any) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if is_template(value):
        raise failure("{field} is a fixed name", "Choose between templates with when, or with include inside one")
    if value.startswith("/") or ".." in value.split("/") or not value.strip():
        raise failure(f'{{field}} "{shown(value)}" is not below templates/', "Write it like nginx/site.conf.j2")
    return value.removeprefix("./")


def _text_or_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise not_text(value)
    return value


TextOrNumber: TypeAlias = Annotated[
    Any, PlainValidator(_text_or_number), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})
]
TemplateName: TypeAlias = Annotated[
    str, PlainValidator(_template_name), WithJsonSchema({"type": "string", "examples": ["nginx/site.conf.j2"]})
]


def _fitting(problem: Callable[[str], str], hint: str = "") -> PlainValidator:
    """Text of which `problem` says what is wrong with it, or nothing."""

    def check(value: Any) -> str:
        text = _filled(value)
        wrong = "" if is_template(text) else problem(text)
        if wrong:
            raise failure(f'{{field}} "{shown(text)}": {wrong}', hint)
        return text

    return PlainValidator(check)


def _filled(value: Any) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if not value.strip() or "\0" in value:
        raise failure("{field} is empty" if not value.strip() else "{field} holds a NUL byte")
    return value


def _matching(pattern: str, wrong: str) -> Callable[[str], str]:
    return lambda text: "" if re.fullmatch(pattern, text) else wrong


def _source_problem(source: str) -> str:
    known = source.startswith("/") or source.partition("://")[0] in {"http", "https"}
    return "" if known else "it is neither an http or https URL nor a path on the host"


_TEXT_SCHEMA = WithJsonSchema({"type": "string", "minLength": 1})
ArchiveSource: TypeAlias = Annotated[
    str,
    _fitting(_source_problem, "Give a URL and its sha256"),
    _TEXT_SCHEMA,
]
Sha256: TypeAlias = Annotated[
    str, _fitting(_matching("[0-9a-fA-F]{64}", "it is no sha256"), "It has 64 digits: sha256sum FILE"), _TEXT_SCHEMA
]
CronName: TypeAlias = Annotated[str, _fitting(name_problem), _TEXT_SCHEMA]
CronSchedule: TypeAlias = Annotated[
    str, _fitting(schedule_problem, 'Write it like "0 3 * * *" or "@daily"'), _TEXT_SCHEMA
]
CronCommand: TypeAlias = Annotated[str, _fitting(command_problem), _TEXT_SCHEMA]
RepositoryName: TypeAlias = Annotated[
    str,
    _fitting(_matching(r"[A-Za-z0-9][A-Za-z0-9_.-]*", "apt and dnf take letters, digits, _ . and -")),
    _TEXT_SCHEMA,
]
FileSystem: TypeAlias = Annotated[
    str, _fitting(_matching(r"(?!swap$)\S+", "it is no type of a file system"), "Swap is not mounted"), _TEXT_SCHEMA
]
MountOptions: TypeAlias = Annotated[
    str, _fitting(_matching(r"\S+", "it holds spaces"), "Write it like noatime,nofail"), _TEXT_SCHEMA
]


class Resource(Door):
    """What all kinds share."""

    sandboxed: ClassVar[bool] = True
    """A sandbox host can have it."""
    state: State = Field("present", description="Whether it should be there.")


class Owned(Resource):
    """Something with an owner."""

    path: AbsolutePath = Field(description="Absolute path on the host.", examples=["/etc/nginx/nginx.conf"])
    owner: Text = Field("root", description="User that owns it.")
    group: Text = Field("root", description="Group that owns it.")


class File(Owned):
    """A file with exactly this text."""

    template: TemplateName | None = Field(None, description="Template below templates/ that gives the text.")
    content: TextOrSecret = Field(None, description="The text itself; may hold {{ }}.")
    source: TemplateName | None = Field(None, description="File below templates/, copied as it is.")
    mode: Mode = Field("0644", description='Permissions in octal, quoted: "0644".')
    validate_: Argv | None = Field(
        None,
        alias="validate",
        description="Command that must accept the new file, named %s, before it is put in place.",
    )
    replace: Boolean = Field(default=True, description="With false, an existing file is left as it is.")

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        given = [name for name in ("template", "content", "source") if getattr(self, name) is not None]
        if len(given) > 1:
            raise failure(f"file has {' and '.join(given)}; it takes one of them", "Keep one")
        if not given and self.state == "present":
            raise failure("file has no text", "Add one of template, content or source")
        words = [] if self.validate_ is None or is_template(self.validate_) else self.validate_
        if words and not any("%s" in word for word in words):
            raise failure("validate does not name the new file", "Put %s where its path belongs")
        return self


class Directory(Owned):
    """A directory."""

    mode: Mode = Field("0755", description='Permissions in octal, quoted: "0755".')
    purge: Boolean = Field(default=False, description="Delete what stands in it and no resource declares.")


class Link(Resource):
    """A symbolic link."""

    path: AbsolutePath = Field(description="Where the link stands.", examples=["/etc/nginx/sites-enabled/web.conf"])
    target: Filled | None = Field(None, description="What it points to, absolute or relative to the link.")

    @model_validator(mode="after")
    def _has_target(self) -> Self:
        if self.target is None and self.state == "present":
            raise failure("target is missing", "Add target: ../sites-available/web.conf", "missing-field")
        return self


class Package(Resource):
    """Packages of the distribution."""

    sandboxed = False
    name: OneOrMore = Field(description="Name, or a list of names.", examples=["nginx-light"])
    version: Text | None = Field(None, description="Exact version; else whichever is there or newest at install.")


class Service(Resource):
    """A service of the init system."""

    sandboxed = False
    name: Filled = Field(description="Name of the unit.", examples=["nginx"])
    state: Annotated[Literal["running", "stopped"], TEMPLATED] = Field("running", description="What it should do now.")  # type: ignore[assignment] # a service is not present or absent
    enabled: Boolean = Field(default=True, description="Whether it starts with the host.")
    restart_on: Words = Field([], description="Names of resources, or path:GLOB, whose change restarts it.")
    reload_on: Words = Field([], description="Names of resources, or path:GLOB, whose change reloads it.")
    check: Argv | None = Field(None, description="Command that must succeed before a reload or restart.")


class ServiceStep(Service):
    """A service in a job, which may also be restarted."""

    state: Annotated[Literal["running", "stopped", "restarted"], TEMPLATED] = Field(  # type: ignore[assignment] # see Service
        "running", description="What it should do now; restarted restarts it once."
    )


class User(Resource):
    """A user of the host."""

    sandboxed = False
    name: Filled = Field(description="Login name.", examples=["deploy"])
    uid: Integer | None = Field(None, description="Numeric id; else the next free one.")
    groups: Words | None = Field(None, description="Further groups.")
    append_groups: Boolean = Field(default=True, description="Keep groups that are not listed.")
    home: AbsolutePath | None = Field(None, description="Home directory.")
    shell: AbsolutePath | None = Field(None, description="Login shell.")
    system: Boolean = Field(default=False, description="A system user.")
    authorized_keys: SecretWords | None = Field(None, description="SSH public keys that may log in.")
    exclusive_keys: Boolean = Field(default=False, description="Remove keys that are not listed.")


class Group(Resource):
    """A group of the host."""

    sandboxed = False
    name: Filled = Field(description="Name of the group.", examples=["deploy"])
    gid: Integer | None = Field(None, description="Numeric id; else the next free one.")


class Command(Resource):
    """A command that runs where its condition says that it is needed."""

    argv: Argv = Field(description="The command, one word each; no shell.", examples=[["systemctl", "daemon-reload"]])
    unless: Argv | None = Field(None, description="Not needed if this command succeeds.")
    only_if: Argv | None = Field(None, description="Needed only if this command succeeds.")
    creates: AbsolutePath | None = Field(None, description="Not needed if this path exists.")
    env: dict[Filled, TextOrSecret] | None = Field(None, description="Further environment variables; may be secrets.")
    stdin: TextOrSecret = Field(None, description="Text for its standard input; may be a secret.")
    user: Text | None = Field(None, description="User that runs it.")
    cwd: AbsolutePath | None = Field(None, description="Directory that it runs in.")
    timeout: Seconds = Field(300.0, description="It is ended after this long.")


class Archive(Resource):
    """An archive, unpacked."""

    source: ArchiveSource = Field(
        description="http or https URL, or the path of a tar or zip file on the host.",
        examples=["https://example.org/app.tar.gz"],
    )
    sha256: Sha256 | None = Field(None, description="Checksum; required for a URL.")
    path: AbsolutePath = Field(description="Directory that it is unpacked into.", examples=["/opt/app"])
    owner: Text = Field("root", description="User that owns what is unpacked, with that user's group.")
    strip: Integer = Field(0, description="How many leading directories are taken off.")

    @model_validator(mode="after")
    def _checked_download(self) -> Self:
        if "://" in self.source and not self.sha256:
            raise failure("an archive from a URL needs sha256", "Add sha256: the checksum of the file", "missing-field")
        return self


class Sysctl(Resource):
    """A kernel parameter, now and at every boot."""

    sandboxed = False
    key: Filled = Field(description="Name of the parameter.", examples=["vm.swappiness"])
    value: TextOrNumber = Field(description="Its value.", examples=[10])


class Line(Resource):
    """One line in a file that others write too."""

    path: AbsolutePath = Field(description="The file.", examples=["/etc/hosts"])
    line: TextOrSecret = Field(description="The line.", examples=["10.0.0.5 db-1"])
    match: Text | None = Field(None, description="Regular expression of the line that it replaces.")


class Cron(Resource):
    """An entry of the host's own cron."""

    sandboxed = False
    name: CronName = Field(description="Name of the entry and of its file in /etc/cron.d.", examples=["rotate"])
    schedule: CronSchedule = Field(description="Five cron fields, or @daily and the like.", examples=["0 3 * * *"])
    command: CronCommand = Field(
        description="Command line for the shell; % is escaped for cron.", examples=["/usr/local/bin/rotate"]
    )
    user: Text = Field("root", description="User that runs it.")


class Repository(Resource):
    """A package repository, for apt or dnf."""

    sandboxed = False
    name: RepositoryName = Field(description="Name of the repository's file.", examples=["nginx"])
    uri: Filled = Field(description="Its address.", examples=["https://nginx.org/packages/debian"])
    suites: OneOrMore | None = Field(None, description="Suites, such as bookworm; apt needs them, dnf has none.")
    components: OneOrMore | None = Field(None, description="Components, such as main; likewise.")
    key: TextOrSecret = Field(
        description="Public key that signs it: armoured text, a file below templates/ with such text, or a path on the "
        "host.",
        examples=["nginx/signing-key.asc"],
    )


class Mount(Resource):
    """A mounted file system, now and at every boot."""

    sandboxed = False
    path: AbsolutePath = Field(description="Where it is mounted.", examples=["/srv"])
    device: Filled = Field(description="What is mounted.", examples=["/dev/vdb1"])
    fstype: FileSystem = Field(description="Type of the file system.", examples=["ext4"])
    options: MountOptions = Field("defaults", description="Mount options, with commas between them.")


class Reboot(Door):
    """A step of a job that restarts the host and waits for it."""

    sandboxed: ClassVar[bool] = False
    timeout: Seconds = Field(600.0, description="It must be back within this time.")


RESOURCES: Mapping[str, type[Resource]] = {
    "file": File,
    "directory": Directory,
    "link": Link,
    "package": Package,
    "service": Service,
    "user": User,
    "group": Group,
    "command": Command,
    "archive": Archive,
    "sysctl": Sysctl,
    "line": Line,
    "cron": Cron,
    "repository": Repository,
    "mount": Mount,
}
STEPS: Mapping[str, type[Resource | Reboot]] = {**RESOURCES, "service": ServiceStep, "reboot": Reboot}
