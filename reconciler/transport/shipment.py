"""The resource library as it goes to a host: a zip that is read into memory there, and the words that start it.

Beside each source stands its bytecode, which a host with the same minor version of Python takes instead of compiling.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import marshal
import shlex
import struct
import threading
import zipfile
from importlib.machinery import SourceFileLoader
from pathlib import Path

NO_PYTHON, NO_SUDO, OLD_PYTHON = 93, 94, 95
"""Exit codes of the start, chosen so that nothing else means them."""

_PACKAGE = Path(__file__).parents[1]
_STAMP = (1980, 1, 1, 0, 0, 0)
_UNCHECKED = b"\1\0\0\0" + bytes(8)
"""PEP 552: bytecode by hash, never compared with its source."""

_FIRST_WORDS = 'exec(eval(open(0,"rb",0,closefd=False).readline()))'
"""Reads the start script from its input, byte by byte, so that nothing of what follows is taken."""

_packing = threading.Lock()

_START = f"""
import os, sys
if sys.version_info < (3, 9):
    sys.stderr.write("%d.%d" % sys.version_info[:2])
    sys.exit({OLD_PYTHON})
left = int(open(0, "rb", 0, closefd=False).readline())
if hasattr(os, "memfd_create"):
    box = os.memfd_create("reconciler")
else:
    import tempfile
    unnamed = tempfile.TemporaryFile()
    box = unnamed.fileno()
while left:
    piece = os.read(0, min(left, 65536))
    if not piece:
        sys.exit(0)
    os.write(box, piece)
    left -= len(piece)
sys.path.insert(0, "/proc/self/fd/%d" % box)
from reconciler.resources.channel.remote import main
main()
"""


def command(*, become: bool) -> str:
    """What the login shell is asked to run, whichever shell it is."""
    tests = [f"command -v python3 >/dev/null 2>&1 || exit {NO_PYTHON}"]
    argv = ["python3", "-I", "-S", "-X", "utf8", "-c", _FIRST_WORDS]
    if become:
        tests = [f"command -v sudo >/dev/null 2>&1 || exit {NO_SUDO}", *tests]
        argv = ["sudo", "-n", "--", *argv]
    return shlex.join(["/bin/sh", "-c", "; ".join([*tests, f"exec {shlex.join(argv)}"])])


def shipment() -> bytes:
    """What is sent first: the start script, the zip's length, the zip. Many threads ask at once; the first packs it."""
    with _packing:
        return _shipment()


@functools.cache
def _shipment() -> bytes:
    content = _zip()
    return b"%s\n%d\n%s" % (repr(_START).encode("ascii"), len(content), content)


def _zip() -> bytes:
    sources = [_PACKAGE / "__init__.py", *sorted((_PACKAGE / "resources").rglob("*.py"))]
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for source in sources:
            name = str(source.relative_to(_PACKAGE.parent))
            archive.writestr(zipfile.ZipInfo(name, _STAMP), source.read_bytes(), zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo(f"{name}c", _STAMP), _bytecode(source), zipfile.ZIP_DEFLATED)
    return box.getvalue()


def _bytecode(source: Path) -> bytes:
    """Of this Python, which has most of it in its cache, beside what tells which source it was made from."""
    found = source.stat()
    made_from = struct.pack("<4sIII", importlib.util.MAGIC_NUMBER, 0, int(found.st_mtime), found.st_size)
    with contextlib.suppress(OSError, NotImplementedError):
        cached = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        if cached.startswith(made_from):
            return importlib.util.MAGIC_NUMBER + _UNCHECKED + cached[len(made_from) :]
    name = ".".join(source.relative_to(_PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    code = SourceFileLoader(name, str(source)).get_code(name)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + marshal.dumps(code)
