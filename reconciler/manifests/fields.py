"""Types of manifest fields: names, durations, selectors, paths and so on, each with its reading and its JSON Schema.

Used by the models of `kinds` and `nodes`. Types under "May be templates" take `{{ }}` text too and stay as written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from reconciler.manifests.door import failure, kind_of, not_text, shown
from reconciler.model.selector import Selector, SelectorError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
LABEL_VALUE = re.compile(r"[A-Za-z0-9._/:@-]*\Z")
LABEL_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z")
SECRET_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*\Z")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+\Z")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MAX_DURATION_SECONDS = 10 * 365 * 86_400


def is_template(value: Any) -> bool:
    """Whether it is text that holds an expression or a statement of Jinja."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def is_secret(value: Any) -> bool:
    """Whether it is a secret's reference, `{secret: path}`."""
    return isinstance(value, Mapping) and len(value) == 1 and "secret" in value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if "\0" in value:
        raise failure("{field} holds a NUL byte")
    return value


def filled(value: Any) -> str:
    """Text that is not empty."""
    if not _text(value).strip():
        raise failure("{field} is empty")
    return str(value)


_SEALING_KEY = re.compile(r"[0-9a-f]{64}\Z")


def _sealing_key(value: Any) -> str:
    text = _text(value)
    if not _SEALING_KEY.match(text):
        hint = "Take what this prints on the host: reconcile agent --public-key"
        raise failure("{field} is not 64 hexadecimal digits", hint, "invalid-sealing-key")
    return text


_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?\Z")


def _host_key(value: Any) -> str:
    """A fingerprint, or a public key as a line of known_hosts or ssh-keyscan has it, without the host's name."""
    text = _text(value)
    if not _FINGERPRINT.match(text) and not _is_public_key(*text.split()[:2]):
        hint = "Write SHA256:... or ssh-ed25519 AAAA..."
        raise failure("{field} is neither a public key nor a fingerprint", hint, "invalid-host-key")
    return text


def _is_public_key(kind: str = "", text: str = "") -> bool:
    """Whether base64 text holds a key that says of itself to be of this type (RFC 4253, section 6.6)."""
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return bool(kind) and blob.startswith(len(kind).to_bytes(4) + kind.encode()) and len(blob) > len(kind) + 4


def _name(value: Any) -> str:
    text = _text(value)
    if not NAME.match(text) or len(text) > 253:
        hint = "Use letters, digits, - . and _; first a letter or digit; at most 63 characters"
        raise failure(f'"{shown(text)}" is no name', hint, "invalid-name")
    return text


def _variable(value: Any) -> str:
    text = _text(value)
    if not VARIABLE.match(text):
        raise failure(f'"{shown(text)}" is no variable name', "Use letters, digits and _", "invalid-name")
    return text


def duration_seconds(text: str) -> float | None:
    """Seconds of `90s`, `1h30m`, `500ms` or `7d`; None if it is no duration."""
    if not _DURATION.match(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(text))


def duration_text(seconds: float) -> str:
    """The inverse, in the largest unit that needs no fraction."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


def _duration(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise failure(f"{{field}} {shown(value)} has no unit", f"Write {{field}}: {shown(value)}s", "invalid-duration")
    seconds = duration_seconds(_text(value))
    if seconds is None or seconds > MAX_DURATION_SECONDS:
        wrong = "no duration" if seconds is None else "too long"
        raise failure(f'{{field}} "{shown(value)}" is {wrong}', "Write it like 90s, 5m or 1h30m", "invalid-duration")
    return seconds


def _selector(value: Any) -> Selector:
    if isinstance(value, Mapping):
        for key, wanted in value.items():
            if not isinstance(wanted, str):
                raise failure(
                    f"label {key} {shown(wanted)} is {kind_of(wanted)}", f'Quote it: {key}: "{shown(wanted)}"'
                )
        if not value:
            raise failure("{field} is empty", 'All hosts are {field}: "*"', "invalid-selector")
    try:
        return Selector.of(value) if isinstance(value, Mapping) else Selector.parse(filled(value))
    except SelectorError as error:
        raise failure(str(error), "", "invalid-selector") from None


def _label(value: Any) -> str:
    if not isinstance(value, str):
        raise not_text(value)
    if not LABEL_VALUE.match(value) or len(value) > 253:
        raise failure(f'label {{field}} "{shown(value)}" cannot be selected', "Use letters, digits and . _ - / : @")
    return value


def _label_key(value: Any) -> str:
    if not LABEL_KEY.match(value) or len(value) > 253:
        raise failure(f'"{shown(value)}" is no label name', "Use letters, digits and . _ - /")
    if value in {"name", "app"}:
        raise failure(f'"{value}" is no label: selectors give it a meaning of its own', "Choose another word")
    if value == "secret":
        raise failure('"secret" is no label: {secret: ...} refers to a secret', "Choose another word")
    return str(value)


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise failure(f'{{field}} "{shown(value)}" is no time', "Write it like 2026-07-01T18:00:00Z") from None
    if moment.tzinfo is None:
        raise failure(f"{{field}} {shown(value)} has no time zone", "Write it like 2026-07-01T18:00:00Z")
    return moment.astimezone(UTC)


def _values(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise failure(f"{{field}} must be a map, not {kind_of(value)}")
    return value


def secret_problem(value: Any) -> str:
    """What is wrong with a secret's reference, or empty."""
    path = value["secret"]
    if not isinstance(path, str):
        return f"the path of a secret is text, not {kind_of(path)}"
    return "" if SECRET_PATH.match(path) else f'"{shown(path)}" is no path of a secret'


def _text_or_secret(value: Any) -> Any:
    return value if is_secret(value) else _text(value)


DURATION_SCHEMA = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|[smhdw]))+$", "examples": ["90s", "1h30m"]}
_SELECTOR_SCHEMA = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "object", "additionalProperties": {"type": "string"}}],
    "description": 'Which hosts: a label selector as text or a map; "*" means all.',
    "examples": ["role=web", "env in (staging,prod),!legacy", "*"],
}
_SECRET_SCHEMA = {
    "type": "object",
    "properties": {"secret": {"type": "string", "description": "Path of the secret at its provider."}},
    "required": ["secret"],
    "additionalProperties": False,
}
_STRING = {"type": "string"}


class _Templated:
    """Takes `{{ }}` text beside what the field takes anyway; such text is checked once it is rendered."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_unless_template, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        inner = handler(schema)
        return {"anyOf": [inner, {"type": "string", "pattern": r"\{[{%]"}]}


def _unless_template(value: Any, handler: core_schema.ValidatorFunctionWrapHandler) -> Any:
    return value if is_template(value) else handler(value)


TEMPLATED = _Templated()

Text: TypeAlias = Annotated[str, PlainValidator(_text), WithJsonSchema(_STRING)]
Filled: TypeAlias = Annotated[str, PlainValidator(filled), WithJsonSchema({"type": "string", "minLength": 1})]
Name: TypeAlias = Annotated[
    str, PlainValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME.pattern[:-2] + "$"})
]
SealingKey: TypeAlias = Annotated[
    str, PlainValidator(_sealing_key), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]{64}$"})
]
HostKey: TypeAlias = Annotated[str, PlainValidator(_host_key), WithJsonSchema({"type": "string", "minLength": 1})]
Variable: TypeAlias = Annotated[str, PlainValidator(_variable), WithJsonSchema(_STRING)]
Duration: TypeAlias = Annotated[float, PlainValidator(_duration), WithJsonSchema(DURATION_SCHEMA)]
Selection: TypeAlias = Annotated[Selector, PlainValidator(_selector), WithJsonSchema(_SELECTOR_SCHEMA)]
Moment: TypeAlias = Annotated[
    datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
Labels: TypeAlias = dict[
    Annotated[str, PlainValidator(_label_key), WithJsonSchema(_STRING)],
    Annotated[str, PlainValidator(_label), WithJsonSchema(_STRING)],
]
Values: TypeAlias = Annotated[dict[str, Any], PlainValidator(_values), WithJsonSchema({"type": "object"})]


def read_expression(value: Any) -> str:
    """An expression as it stands in `when`, without braces."""
    from reconciler.manifests.syntax import expression_problem  # noqa: PLC0415 - Jinja loads only if needed

    text = filled(value)
    problem = expression_problem(text)
    if problem:
        raise failure(*problem, "invalid-expression")
    return text


MetricExpression: TypeAlias = Annotated[
    str,
    PlainValidator(filled),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["avg(cpu.percent, window=5m) > 90"]}),
]
"""Read by `measuring`, once it is known what it is about."""
Expression: TypeAlias = Annotated[
    str,
    PlainValidator(read_expression),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["not host.sandbox"]}),
]


# May be templates


def _path(value: Any) -> str:
    text = filled(value)
    if not text.startswith(("/", "{{", "{%")):
        raise failure(f'{{field}} "{shown(text)}" is not absolute', f"Write {{field}}: /{text}")
    if ".." in text.split("/"):
        raise failure(f'{{field}} "{shown(text)}" holds ".."', "Write the path that is meant")
    return text


def _mode(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise not_text(value, quoted=f"{value:04d}")
    if not re.match(r"0?[0-7]{3,4}\Z", _text(value)):
        raise failure(f'mode "{shown(value)}" is not three or four octal digits', 'Write it like mode: "0644"')
    return str(value)


_MODE_SCHEMA = {"type": "string", "pattern": "^0?[0-7]{3,4}$", "examples": ["0644", "0600", "0755"]}
_PATH_SCHEMA = {"type": "string", "pattern": r"^(/|\{\{|\{%)", "examples": ["/etc/nginx/nginx.conf"]}

AbsolutePath: TypeAlias = Annotated[str, PlainValidator(_path), WithJsonSchema(_PATH_SCHEMA)]
Mode: TypeAlias = Annotated[str, PlainValidator(_mode), WithJsonSchema(_MODE_SCHEMA), TEMPLATED]
Boolean: TypeAlias = Annotated[bool, TEMPLATED]
Integer: TypeAlias = Annotated[int, TEMPLATED]
Seconds: TypeAlias = Annotated[float, PlainValidator(_duration), WithJsonSchema(DURATION_SCHEMA), TEMPLATED]
TextOrSecret: TypeAlias = Annotated[
    Any, PlainValidator(_text_or_secret), WithJsonSchema({"anyOf": [_STRING, _SECRET_SCHEMA]})
]


def _argv_word(value: Any) -> str:
    if is_secret(value):
        raise failure("a secret in argv is visible to every user of the host", "Use env or stdin", "secret-in-argv")
    return _text(value)


def _argv(value: Any) -> Any:
    if isinstance(value, str) and not is_template(value):
        words = ", ".join(value.split())
        raise failure("{field} is a list, one word each; no shell reads it", f"Write {{field}}: [{words}]")
    if isinstance(value, list) and not value:
        raise failure("{field} is empty", "Write {field}: [/usr/bin/true]")
    return value


Argv: TypeAlias = Annotated[
    list[Annotated[str, PlainValidator(_argv_word), WithJsonSchema(_STRING)]], TEMPLATED, BeforeValidator(_argv)
]
