"""Texts of notifications from templates of the repository, in the sandbox that all templates run in.

Called where a notification becomes a message. What the variables are is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import CodeType
from typing import Any

from reconciler.errors import InvalidInput
from reconciler.rendering.compiled import compile_template
from reconciler.rendering.environment import Sandbox
from reconciler.rendering.secret import NotKnown
from reconciler.rendering.trouble import Troubled


def render_text(name: str, templates: Mapping[str, str], variables: Mapping[str, Any]) -> str:
    """The text of a template with these variables.

    Args:
        name: the template's path below templates/.
        templates: all of them, for includes.
        variables: plain values.

    Raises:
        InvalidInput: it does not exist, cannot be read, or fails with these variables.
    """
    if name not in templates:
        raise InvalidInput.of("template-missing", f'there is no template "{name}"')
    sandbox = Sandbox({path: partial(_code, path, text) for path, text in templates.items()})
    try:
        return str(sandbox.render(sandbox.template(_code(name, templates[name])), variables, variables.keys()))
    except Troubled as error:
        raise InvalidInput(trouble.problem() for trouble in error.troubles) from None
    except NotKnown as error:
        raise InvalidInput.of("template-error", str(error)) from None


def _code(name: str, text: str) -> CodeType:
    return compile_template(name, text).code
