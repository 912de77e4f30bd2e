"""Reads a selector over alerts that a person typed."""

from __future__ import annotations

from reconciler.errors import InvalidInput
from reconciler.model.selector import Selector, SelectorError


def selector_of(text: str) -> Selector:
    """The selector.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return Selector.parse(text)
    except SelectorError as error:
        raise InvalidInput.of("invalid-selector", str(error)) from None
