"""Reads a selector over alerts that a person typed, and says which of its words nothing is called by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import NOWHERE, InvalidInput, Problem
from reconciler.model.selector import Selector, SelectorError

if TYPE_CHECKING:
    from reconciler.alerting.vocabulary import Unknown
    from reconciler.model.alerts import ActiveAlert
    from reconciler.model.manifests import Manifests


def selector_of(text: str) -> Selector:
    """The selector.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        return Selector.parse(text)
    except SelectorError as error:
        raise InvalidInput.of("invalid-selector", str(error)) from None


def strange_words(selector: Selector, manifests: Manifests, alerts: Iterable[ActiveAlert]) -> Sequence[Unknown]:
    """Its words that neither the manifests nor these alerts know."""
    from reconciler.alerting.vocabulary import unknown_words, vocabulary

    return list(unknown_words(selector, vocabulary(manifests, alerts)))


def refuse(strange: Iterable[Unknown]) -> None:
    """Raise InvalidInput, with what was probably meant, if there are any."""
    if problems := [_mistake(word) for word in strange]:
        raise InvalidInput(problems)


def _mistake(unknown: Unknown) -> Problem:
    from reconciler.manifests.findings import did_you_mean

    key = "alert" if unknown.requirement.key == "name" else unknown.requirement.key
    what = f'alerts have no label "{unknown.word}"' if unknown.label else f'there is no {key} "{unknown.word}"'
    code = "unknown-alert" if key == "alert" else "unknown-label"
    return Problem(NOWHERE, what, did_you_mean(unknown.word, unknown.known), code)
