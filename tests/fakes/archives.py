"""Small tar and zip files, made in memory, good and bad ones."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Mapping

Things = Mapping[str, str | tuple[str, str] | None]
"""Name -> a file's text, (type of tar, link target), or None: a directory."""


def tar(things: Things, compression: str = "gz", mode: int = 0o644) -> bytes:
    """A tar file; equal arguments give equal bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, thing in things.items():
            info = tarfile.TarInfo(name)
            info.mode = mode
            if thing is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            elif isinstance(thing, tuple):
                info.type, info.linkname = thing[0].encode(), thing[1]
            content = thing.encode() if isinstance(thing, str) else b""
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return _compressed(buffer.getvalue(), compression)


def _compressed(plain: bytes, compression: str) -> bytes:
    if compression == "gz":
        return gzip.compress(plain, mtime=0)
    if compression == "bz2":
        return bz2.compress(plain)
    return lzma.compress(plain) if compression == "xz" else plain


def zipped(things: Things) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, thing in things.items():
            info = zipfile.ZipInfo(name if thing is not None else f"{name}/")
            if isinstance(thing, tuple):
                info.external_attr = 0o120777 << 16
                archive.writestr(info, thing[1])
            else:
                archive.writestr(info, thing or "")
    return buffer.getvalue()


def sha256(content: bytes) -> str:
    """The checksum as `sha256:` takes it."""
    return hashlib.sha256(content).hexdigest()
