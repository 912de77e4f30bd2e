"""The keys that hosts are to trust (`reconcile keys list`)."""

from __future__ import annotations

from reconciler.reports.colour import Palette
from reconciler.reports.json_form import document
from reconciler.reports.table import aligned
from reconciler.trust import TrustedKeys


def keys_text(keys: TrustedKeys, own: str, *, color: bool) -> str:
    """A table in the order of the ids; `own` is the id of the controller's key."""
    paint = Palette(color)
    rows = [[paint.quiet(name) for name in ("KEY", "MAY", "PUBLIC", "")]]
    for key in keys.keys.values():
        may = ", ".join(sorted(permission.value for permission in key.may))
        rows.append([key.id, may, key.public.hex(), "the controller's" if key.id == own else ""])
    return "".join(f"{line}\n" for line in [*aligned(rows), "", paint.strong(f"Version {keys.version}.")])


def keys_json(keys: TrustedKeys) -> str:
    """{"format": 1, "version", "keys": [{"id", "public", "may": [...]}...]}."""
    listed = [
        {"id": key.id, "public": key.public.hex(), "may": sorted(permission.value for permission in key.may)}
        for key in keys.keys.values()
    ]
    return document(version=keys.version, keys=listed)
