"""Writes into a Host's manifest how it is reached, and leaves every other character of the file as it is.

Called for `hosts enroll`. What is not written plainly enough for that (an alias, a merge) is left to a person.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

_CONNECTION = "connection"


def with_connection(text: str, host: str, values: Mapping[str, str | None]) -> str | None:
    """The file's text with these fields in the host's `connection`; None takes a field away.

    Returns:
        None where no such text is found that says this, and nothing else, differently from before.
    """
    try:
        documents = _values(text)
        place = next(index for index, it in enumerate(documents) if _is_host(it, host))
        edited = text
        for key, value in values.items():
            edited = _edited(edited, place, key, value)
        wanted = copy.deepcopy(documents)
        _change(wanted[place]["spec"], values)
        return edited if _values(edited) == wanted else None
    except (YAMLError, StopIteration, LookupError, TypeError, AttributeError):
        return None


def _values(text: str) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(text))


def _is_host(document: Any, host: str) -> bool:
    return isinstance(document, dict) and document.get("kind") == "Host" and document["metadata"]["name"] == host


def _change(spec: dict[str, Any], values: Mapping[str, str | None]) -> None:
    said = {**spec.get(_CONNECTION, {}), **values}
    spec[_CONNECTION] = {key: value for key, value in said.items() if value is not None or key not in values}


def _edited(text: str, place: int, key: str, value: str | None) -> str:
    """One field set, or taken away."""
    documents = list(YAML(pure=True).compose_all(text))
    spec = _entry(documents[place], "spec")
    connection = _entry(spec, _CONNECTION)
    if connection is None:
        return text if value is None else _added(text, spec, _CONNECTION, f"{{{key}: {_written(value)}}}")
    if value is None:
        return _removed(text, connection, key)
    known = _entry(connection, key)
    if known is None:
        return _added(text, connection, key, _written(value))
    if known.value == value:
        return text
    return text[: known.start_mark.index] + _written(value) + text[known.end_mark.index :]


def _written(value: str) -> str:
    """In quotes what YAML could take for a number."""
    return value if value.isalpha() else f'"{value}"'


def _entry(mapping: Node, key: str) -> Any:
    if not isinstance(mapping, MappingNode):
        raise TypeError(f"{key} is looked for in what is no map")
    return next((value for name, value in mapping.value if name.value == key), None)


def _added(text: str, mapping: Any, key: str, value: str) -> str:
    """An entry at a flow map's end, or below the first line of a block map."""
    entry = f"{key}: {value}"
    if not mapping.value:
        return _spliced(text, mapping.start_mark.index + 1, entry)
    if mapping.flow_style:
        return _spliced(text, mapping.value[-1][1].end_mark.index, f", {entry}")
    first_key, first_value = mapping.value[0]
    if isinstance(first_value, ScalarNode) and first_value.end_mark.line == first_key.start_mark.line:
        line_end = text.find("\n", first_value.end_mark.index)
        at = len(text) if line_end < 0 else line_end - (text[line_end - 1] == "\r")
        return _spliced(text, at, f"{_line_break(text)}{' ' * first_key.start_mark.column}{entry}")
    at = first_key.start_mark.index
    return _spliced(text, at, f"{entry}{_line_break(text)}{' ' * first_key.start_mark.column}")


def _removed(text: str, mapping: MappingNode, key: str) -> str:
    """Without an entry: its line in a block map, itself and one comma in a flow map."""
    at = next((index for index, (name, _) in enumerate(mapping.value) if name.value == key), None)
    if at is None:
        return text
    start, end = mapping.value[at][0].start_mark.index, mapping.value[at][1].end_mark.index
    if not mapping.flow_style:
        start = text.rfind("\n", 0, start) + 1
        end = text.find("\n", end) + 1 or len(text)
    elif at:
        start = mapping.value[at - 1][1].end_mark.index
    elif len(mapping.value) > 1:
        end = mapping.value[1][0].start_mark.index
    return text[:start] + text[end:]


def _spliced(text: str, at: int, piece: str) -> str:
    return text[:at] + piece + text[at:]


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
