"""Which secrets an app may have: those that its content names."""

from __future__ import annotations

from reconciler.loops.hosts.host_view import named_secrets
from reconciler.model.desired import Bundle


def test_what_a_host_says_of_itself_names_no_secret() -> None:
    steps = {"resources": [{"fields": {"content": {"secret": "in/steps"}}}], "health": []}
    values = {"config": {"word": {"secret": "in/config"}}, "facts": {"os": {"secret": "of/others"}}}
    assert named_secrets(Bundle.of(steps), values) == ("in/config", "in/steps")
