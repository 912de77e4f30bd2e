"""Reading a wanted resource's fields: each has a type, a default and a clear error.

Used by the kinds' `parse`. The manifests room has checked shapes already; values that came out of templates have not.
"""

from __future__ import annotations

import re
from typing import Any, FrozenSet, List, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?\Z")
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class Fields:
    """The fields of one resource; `done` refuses those that nobody asked for."""

    def __init__(self, owner: str, values: Mapping[str, Any]) -> None:
        self._owner = owner
        self._values = values
        self._asked: List[str] = []

    def _get(self, name: str) -> Any:
        self._asked.append(name)
        return self._values.get(name)

    def wrong(self, name: str, expected: str) -> Failure:
        """The error for a field, without its value: it may be a secret."""
        return Failure("invalid-field", f"{self._owner}: {name} must be {expected}")

    def sound(self, name: str, problem: str) -> None:
        """Refuse a field for this reason; accept it where there is none."""
        if problem:
            raise Failure("invalid-field", f"{self._owner}: {name}: {problem}")

    def text(self, name: str, default: Optional[str] = None) -> str:
        """Text; a number is taken as its text. Required where there is no default."""
        value = self._get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
            raise self.wrong(name, "text")
        if "\0" in str(value):
            raise self.wrong(name, "text without NUL characters")
        return str(value)

    def word(self, name: str, default: Optional[str] = None) -> str:
        """Text without any space: it becomes one word of a file whose words are parted by spaces."""
        value = self.text(name, default)
        if re.search(r"\s", value):
            raise self.wrong(name, "a single word")
        return value

    def content(self, name: str) -> bytes:
        """Text of a file; it may be empty."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name, "text")
        return value.encode()

    def path(self, name: str = "path") -> str:
        """An absolute path in its normal form."""
        value = self.text(name)
        parts = value.split("/")[1:]
        if not value.startswith("/") or value == "/" or {"", ".", ".."} & set(parts):
            raise self.wrong(name, "an absolute path without //, . or ..")
        return value

    def mode(self, name: str, default: int) -> int:
        """Permission bits, written as text such as "0644"."""
        value = self._get(name)
        if value is None:
            return default
        if not isinstance(value, str) or not re.match(r"[0-7]{3,4}\Z", value):
            raise self.wrong(name, 'text such as "0644"')
        return int(value, 8)

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean, also as the text that a template prints."""
        value = self._get(name)
        if value is None:
            return default
        word = str(value).lower()
        if word not in _TRUE | _FALSE:
            raise self.wrong(name, "true or false")
        return word in _TRUE

    def choice(self, name: str, *allowed: str) -> str:
        """One of these words, the first by default."""
        value = self._get(name)
        if value is None:
            return allowed[0]
        if value not in allowed:
            raise self.wrong(name, " or ".join(allowed))
        return str(value)

    def number(self, name: str) -> Optional[int]:
        """A whole number, or None."""
        value = self._get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not re.match(r"\d+\Z", str(value)):
            raise self.wrong(name, "a number")
        return int(value)

    def given(self, name: str) -> bool:
        """Whether the field stands there at all."""
        return self._values.get(name) is not None

    def texts(self, name: str) -> Tuple[str, ...]:
        """A list of texts; a single text stands for a list of one."""
        value = self._get(name)
        if value is None:
            return ()
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, (list, tuple)) or any(isinstance(item, (dict, list)) for item in values):
            raise self.wrong(name, "a list of texts")
        return tuple(str(item) for item in values)

    def argv(self, name: str, *, required: bool = False) -> Tuple[str, ...]:
        """A command as a list of words."""
        if isinstance(self._values.get(name), str):
            raise self.wrong(name, "a list of words, such as [nginx, -t]")
        words = self.texts(name)
        if required and not words:
            raise self.wrong(name, "a list of words, such as [nginx, -t]")
        return words

    def mapping(self, name: str) -> Mapping[str, str]:
        """A map of texts."""
        value = self._get(name) or {}
        if not isinstance(value, dict):
            raise self.wrong(name, "a map")
        return {str(key): str(item) for key, item in value.items()}

    def seconds(self, name: str, default: float) -> float:
        """A duration such as `90s` or `1h30m`, or a number of seconds."""
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
            return float(value)
        found = _DURATION.match(str(value)) if value else None
        if found is None:
            raise self.wrong(name, "a duration such as 90s or 1h30m")
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds

    def done(self) -> None:
        """Refuse fields that this kind does not have."""
        unknown: FrozenSet[str] = frozenset(self._values) - frozenset(self._asked)
        if unknown:
            raise Failure("invalid-field", f"{self._owner}: unknown field {', '.join(sorted(unknown))}")
