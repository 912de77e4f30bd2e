"""Manifest files that are not cached -> what each declares. Called by the loader, here or in another process.

What parses is loaded with the first file: its models take longer to load than a hundred manifests to read.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.manifests.cache import Key
from reconciler.manifests.parsed import Parsed
from reconciler.manifests.starter import STARTER


def warm_up() -> None:
    """Load what parsing takes, and build the models that nearly every fleet needs, by reading a small one."""
    for path, text in STARTER.items():
        if path.endswith(".yaml"):
            _document(path, text.encode())


def parse_all(manifests: Mapping[Key, bytes]) -> dict[Key, Parsed]:
    """Path and blob hash -> what the file declares and what is wrong with it; never raises for what files hold."""
    return {key: _document(key[0], text) for key, text in manifests.items()}


def _document(path: str, text: bytes) -> Parsed:
    from reconciler.manifests.documents import parse  # noqa: PLC0415 - pydantic and ruamel load only if needed

    return parse(path, text)
