"""Says in a host's manifest how it is reached from now on. Called by `hosts enroll`; committing is a person's part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.model.manifests import Host
    from reconciler.source.working_tree import WorkingTree


def record(tree: WorkingTree, host: Host, connection: Mapping[str, str | None], console: Console) -> None:
    """Write these fields into `connection` (None: take it away), or tell what to write where that cannot be done.

    Raises:
        InvalidInput: the file cannot be written.
    """
    from reconciler.manifests.editing import with_connection

    file = host.metadata.origin.file
    before = tree.read(file)
    after = with_connection(before, host.name, connection)
    if after == before:
        return
    if after is not None:
        tree.rewrite(file, after)
        console.tell(f"{file} now says {_said(connection)}. Look at it and commit it: the fleet learns it from git.")
    else:
        console.tell(
            f"{file} is not written plainly enough to edit it. Make it say {_said(connection)}, and commit it."
        )


def _said(connection: Mapping[str, str | None]) -> str:
    """`connection.type: agent, connection.sealingKey: ...`."""
    set_to = [f"connection.{name}: {value}" for name, value in connection.items() if value is not None]
    gone = [f"no connection.{name}" for name, value in connection.items() if value is None]
    return ", ".join([*set_to, *gone])
