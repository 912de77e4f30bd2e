"""The Redis users of agents: rules that fit the server, set and taken away by an operator whose own user may.

Redis does not replicate users, so they are set on every node that can be found, and are kept over a restart only where
the server has an ACL file or its configuration is rewritten.
"""

from __future__ import annotations

from typing import Any, Protocol

from reconciler.store.acl import rules, setuser, user_name
from reconciler.store.check import ServerFacts, numbers
from reconciler.store.keys import Keys


class Nodes(Protocol):
    """Every server that can be found; of Sentinel's only the primary."""

    def ask_nodes(self, *command: str) -> list[Any]: ...


class Users:
    """`Store.users`."""

    def __init__(self, nodes: Nodes, keys: Keys) -> None:
        self._nodes = nodes
        self._keys = keys

    def command(self, host: str, password: str) -> tuple[str, ...]:
        """The command that makes a host's user, or gives it these rules, as the servers here understand it.

        Args:
            host: whose agent it is.
            password: `>TEXT`, or `#SHA256` in hexadecimal.
        """
        found = [ServerFacts.parse(info.decode()) for info in self._nodes.ask_nodes("INFO")]
        oldest = min(numbers(facts.version) for facts in found)
        words = rules(host, oldest, clustered=any(facts.clustered for facts in found), keys=self._keys)
        return setuser(host, words, password)

    def state(self, host: str) -> object:
        """The user as every node has it, for comparing; None where none knows it. Raises as `set`."""
        found = self._nodes.ask_nodes("ACL", "GETUSER", user_name(host))
        return found if any(found) else None

    def set(self, host: str, password: str) -> str:
        """Make the user on every node; returns why it would be gone after a restart, empty where it would not.

        Raises:
            InvalidInput: our own user may not.
            Unavailable: a node cannot be reached.
        """
        self._nodes.ask_nodes(*self.command(host, password))
        return self._kept()

    def remove(self, host: str) -> str:
        """Take the user away, its connections too; returns as `set`."""
        self._nodes.ask_nodes("ACL", "DELUSER", user_name(host))
        return self._kept()

    def _kept(self) -> str:
        """Save the users where the server has a file for them."""
        files = [answer[1] for answer in self._nodes.ask_nodes("CONFIG", "GET", "aclfile") if answer]
        if files and all(files):
            self._nodes.ask_nodes("ACL", "SAVE")
            return ""
        return (
            "Redis has no ACL file (aclfile), so its users are gone after a restart unless its configuration names them"
        )
