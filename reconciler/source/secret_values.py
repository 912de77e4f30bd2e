"""Secret values by path, from where the ops server keeps them. The first place that has one wins.

Built by wiring for the executors that resolve secrets; a plan never comes here, there a secret is only its path. Every
value is taught to a `Masker` before anyone else sees it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping

from reconciler.errors import NOWHERE, InvalidInput, Place, Problem, Unavailable
from reconciler.resources.values import replace
from reconciler.settings import Settings
from reconciler.source.secret_places import Command, Directory, Environment, Found, Search, SecretPlace
from reconciler.trust import Masker

_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_LONGEST_PATH = 200


def _nowhere(_: str) -> Place:
    return NOWHERE


class SecretProviders:
    """All places of the settings: environment, directories, command, in this order."""

    def __init__(self, settings: Settings, masker: Masker, environ: Mapping[str, str] | None = None) -> None:
        """Use the settings' places.

        Args:
            settings: where to look.
            masker: is taught every value that is found.
            environ: the environment of the command; by default this process's.
        """
        self._masker = masker
        self._warnings: set[Problem] = set()
        self._places: list[SecretPlace] = [Environment(settings.secret_variables)]
        self._places += map(Directory, settings.secret_directories)
        if settings.secret_command:
            self._places.append(Command(settings.secret_command, os.environ if environ is None else environ))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Files read so far that others can read too."""
        return tuple(sorted(self._warnings))

    def resolve(self, paths: Iterable[str], where: Callable[[str], Place] = _nowhere) -> Mapping[str, str]:
        """The values by path, each looked for once, without one trailing newline.

        Args:
            paths: of the secrets.
            where: the place that refers to a path, for problems.

        Raises:
            InvalidInput: with a problem for every path that is malformed, is found nowhere or only where another
                path's value is, and for every value that is no text.
            Unavailable: the same, where a command took too long and may answer the next time.
        """
        values: dict[str, str] = {}
        problems: list[Problem] = []
        owners: dict[str, str] = {}
        again = False
        for path in sorted(set(paths)):
            search = Search(path)
            found = self._find(search)
            again = again or (found is None and search.again)
            value = _text(found, search, owners)
            if isinstance(value, Problem):
                problems.append(replace(value, place=where(path)))
            else:
                values[path] = value
            self._warnings.update(search.warnings)
        self._masker.learn(values)
        if problems:
            raise (Unavailable if again else InvalidInput)(problems)
        return values

    def _find(self, search: Search) -> Found | None:
        places = self._places if _is_path(search.path) else []
        return next(filter(None, (place.find(search) for place in places)), None)


def _is_path(path: str) -> bool:
    """Whether it cannot lead out of a directory of secrets."""
    return len(path) <= _LONGEST_PATH and _PATH.fullmatch(path) is not None


def _text(found: Found | None, search: Search, owners: dict[str, str]) -> str | Problem:
    """The value as text, or what is wrong; `owners` remembers which path each source has served."""
    name = f"secret {search.path}"
    if not _is_path(search.path):
        hint = "Use letters, digits, . _ - and / between the parts"
        return Problem(NOWHERE, f"{search.path!r} is no path of a secret", hint, "malformed-secret")
    if found is None:
        return Problem(NOWHERE, f"{name} not found; tried {', '.join(search.tried)}", code="secret-not-found")
    owner = owners.setdefault(found.source, search.path)
    if owner != search.path:
        return Problem(NOWHERE, f"{name} and {owner} both come from {found.source}", "Rename one", "ambiguous-secret")
    try:
        return found.value.decode().removesuffix("\n")
    except UnicodeDecodeError:
        return Problem(NOWHERE, f"{name} from {found.source} is not UTF-8 text", code="malformed-secret")
