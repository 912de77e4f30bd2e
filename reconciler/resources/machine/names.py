"""Names and numbers of users and groups, as the host's own library knows them (directories such as LDAP included).

Called by `posix`. The host's own files are `accounts`' part.
"""

from __future__ import annotations

import grp
import pwd
from typing import Callable, Dict, Optional


def user_number(name: str) -> int:
    """A user's number.

    Raises:
        KeyError: there is no such user.
    """
    return pwd.getpwnam(name).pw_uid


def group_number(name: str) -> int:
    """A group's number; raises likewise."""
    return grp.getgrnam(name).gr_gid


def number(name: str, known: Dict[str, int], find: Callable[[str], int]) -> Optional[int]:
    """A number by name, or by itself as text; None where there is none.

    Only what was found is remembered in `known`: what is missing may be made meanwhile.
    """
    if name.isdigit():
        return int(name)
    if name not in known:
        try:
            known[name] = find(name)
        except KeyError:
            return None
    return known[name]


def user_name(uid: int) -> str:
    """The user's name, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """The group's name, likewise."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
