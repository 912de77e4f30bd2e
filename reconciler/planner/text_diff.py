"""How two renderings of a resource differ, for people: a unified diff of text, `field: old -> new` of the rest.

Called by `diff`, and by loops for drift. No secret can stand in either side: renderings are opaque, and what a look
found is told only of files that everyone may read and that are to hold none.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.canonical import canonical
from reconciler.resources.protocol import ResourceEvent

_CONTENT = "content"
_CONTEXT_LINES = 3
_LONGEST_DIFF = 400
"""Lines of one diff that are kept; a plan is read by people."""
_LONGEST_DRIFT = 40
"""Lines of a drifted file that are kept, beside what is known of its app."""
_LONGEST_DRIFT_LINE = 200
_LONGEST_COMPARED = 5_000
"""Lines of a text beyond which the two are not aligned: difflib takes quadratic time."""


def field_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The differences between the fields of two renderings, text last."""
    lines = [
        f"{name}: {_shown(before.get(name))} -> {_shown(after.get(name))}"
        for name in sorted({*before, *after} - {_CONTENT})
        if before.get(name) != after.get(name) or type(before.get(name)) is not type(after.get(name))
    ]
    return (*lines, *text_differences(_text(before), _text(after)))


def drift_text(look: ResourceEvent, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """What others did to a file's text, bounded: from what a look found to what should stand there.

    Nothing where the text is as it should be, or where not everyone may see it.
    """
    after = wanted.get(_CONTENT)
    if look.before is None or _CONTENT not in look.differences or not isinstance(after, str):
        return ()
    lines = text_differences(look.before, after)
    more = (f"... {len(lines) - _LONGEST_DRIFT} more lines",) if len(lines) > _LONGEST_DRIFT else ()
    return (*(line[:_LONGEST_DRIFT_LINE] for line in lines[:_LONGEST_DRIFT]), *more)


def text_differences(before: str, after: str) -> tuple[str, ...]:
    """A unified diff without its two header lines; empty where the texts are equal."""
    if before == after:
        return ()
    old, new = before.splitlines(), after.splitlines()
    if len(old) + len(new) > _LONGEST_COMPARED:
        return (f"{len(old)} -> {len(new)} lines of text (too long to compare here)",)
    lines = list(difflib.unified_diff(old, new, n=_CONTEXT_LINES, lineterm=""))[2:]
    lines.extend(_end_of_file(before, after))
    if len(lines) > _LONGEST_DIFF:
        return (*lines[:_LONGEST_DIFF], f"... {len(lines) - _LONGEST_DIFF} more lines")
    return tuple(lines)


def _end_of_file(before: str, after: str) -> Iterator[str]:
    """Names a newline that only one of the two ends with; splitlines() does not see it."""
    had, has = before.endswith("\n"), after.endswith("\n")
    if before and after and had != has:
        yield "\\ newline at end of file added" if has else "\\ newline at end of file removed"


def _text(fields: Mapping[str, Any]) -> str:
    value = fields.get(_CONTENT, "")
    return value if isinstance(value, str) else _shown(value)


def _shown(value: Any) -> str:
    if value is None:
        return "(unset)"
    return value if isinstance(value, str) else canonical(value).decode()
