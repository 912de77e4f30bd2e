"""This very program as a wheel, made from the files that run here: a checkout and an installed package alike.

Called by `release`. Needs no build tool; the same files give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from reconciler import __version__
from reconciler.resources.values import dataclass

NAME = "reconciler"
_PACKAGE = Path(__file__).parents[1]
_STAMP = (1980, 1, 1, 0, 0, 0)
_METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {__version__}\nRequires-Python: >=3.11\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: reconciler\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_COMMAND = "[console_scripts]\nreconcile = reconciler.cli:entry\n"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def own_wheel(package: Path = _PACKAGE) -> Wheel:
    """The wheel; see the packaging guide's "Binary distribution format" for its parts."""
    metadata = f"{NAME}-{__version__}.dist-info"
    files = {
        **dict(_sources(package)),
        f"{metadata}/METADATA": _METADATA.encode(),
        f"{metadata}/WHEEL": _WHEEL.encode(),
        f"{metadata}/entry_points.txt": _COMMAND.encode(),
    }
    record = f"{metadata}/RECORD"
    rows = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return Wheel(f"{NAME}-{__version__}-py3-none-any.whl", box.getvalue())


def _sources(package: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{NAME}/{path.relative_to(package).as_posix()}", path.read_bytes()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
