"""Label selectors: `role=web,zone in (eu-1,eu-2),!legacy,app=webapp`, a map, or `*` for all.

Two keys are not labels: `name` is the name of the thing itself, and `app` holds for every host that the
app of that name selects.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Mapping

from reconciler.errors import cut
from reconciler.resources.values import dataclass


class Operator(enum.Enum):
    """How one requirement compares."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "absent"


class SelectorError(ValueError):
    """A selector's text is not in the grammar; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a selector; all terms must hold."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, found: Collection[str]) -> bool:
        """Whether the requirement holds, given the values found under its key (none: the key is absent)."""
        match self.operator:
            case Operator.EXISTS:
                return bool(found)
            case Operator.ABSENT:
                return not found
            case Operator.IN:
                return any(value in self.values for value in found)
            case Operator.NOT_IN:
                return all(value not in self.values for value in found)

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.ABSENT:
                return f"!{self.key}"
            case Operator.IN if len(self.values) == 1:
                return f"{self.key}={self.values[0]}"
            case Operator.NOT_IN if len(self.values) == 1:
                return f"{self.key}!={self.values[0]}"
            case _:
                return f"{self.key} {self.operator.value} ({','.join(self.values)})"


_EXPECTED = 'expected key=value, key in (a,b), key, !key or "*"'
_KEY = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_VALUE = r"[A-Za-z0-9._/:@-]*"
_TERM = re.compile(
    rf"\s*(?:(?P<absent>!)\s*(?P<missing>{_KEY})"
    rf"|(?P<set>{_KEY})\s+(?P<word>in|notin|not\s+in)\s*\(\s*+(?P<values>{_VALUE}+(?:\s*+,\s*+{_VALUE}+)*+)\s*+\)"
    rf"|(?P<key>{_KEY})(?:\s*(?P<sign>==|=|!=)\s*(?P<value>{_VALUE}))?)\s*(?:,|$)"
)


@dataclass(frozen=True, slots=True)
class Selector:
    """A conjunction of requirements; with none it matches everything (`*`)."""

    requirements: tuple[Requirement, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Selector:
        """Read the text form.

        Raises:
            SelectorError: the text is empty or not in the grammar.
        """
        if text.strip() == "*":
            return cls()
        if not text.strip():
            raise SelectorError(f"selector is empty; {_EXPECTED}")
        requirements: list[Requirement] = []
        position = 0
        while position < len(text):
            term = _TERM.match(text, position)
            if term is None:
                raise SelectorError(f'cannot read selector at "{cut(text[position:].strip())}"; {_EXPECTED}')
            requirements.append(_requirement(term))
            position = term.end()
        if text.rstrip().endswith(","):
            raise SelectorError("selector ends with a comma")
        return cls(tuple(requirements))

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Selector:
        """Read the map form: every pair must be equal.

        Raises:
            SelectorError: a key or a value that the text form could not hold.
        """
        for key, value in labels.items():
            if not re.fullmatch(_KEY, key) or not re.fullmatch(_VALUE, value):
                raise SelectorError(f'cannot read selector at "{cut(f"{key}={value}")}"; {_EXPECTED}')
        return cls(tuple(Requirement(key, Operator.IN, (value,)) for key, value in sorted(labels.items())))

    def matches(self, name: str, labels: Mapping[str, str], apps: Collection[str] = ()) -> bool:
        """Whether the thing with this name, these labels and these apps is selected."""
        return all(requirement.holds(_found(requirement.key, name, labels, apps)) for requirement in self.requirements)

    @property
    def apps(self) -> frozenset[str]:
        """Names of the apps that the selector speaks of."""
        return frozenset(value for term in self.requirements if term.key == "app" for value in term.values)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements) or "*"


EVERYTHING = Selector()


def _requirement(term: re.Match[str]) -> Requirement:
    if term["absent"]:
        return Requirement(term["missing"], Operator.ABSENT)
    if term["set"]:
        values = tuple(value.strip() for value in term["values"].split(","))
        return Requirement(term["set"], Operator.IN if term["word"] == "in" else Operator.NOT_IN, values)
    if term["sign"]:
        return Requirement(term["key"], Operator.NOT_IN if term["sign"] == "!=" else Operator.IN, (term["value"],))
    return Requirement(term["key"], Operator.EXISTS)


def _found(key: str, name: str, labels: Mapping[str, str], apps: Collection[str]) -> Collection[str]:
    if key == "name":
        return (name,)
    if key == "app":
        return apps
    return (labels[key],) if key in labels else ()
