"""The resource library as it goes to a host: modules that are read into memory there, and the words that start them.

They go as bytecode, which a host with the same minor version of Python takes, and as sources for all others. What was
packed is kept beside the bytecode that it was packed from.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import marshal
import shlex
import struct
import sys
import threading
import zlib
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path

from reconciler.shelf import Shelf, code_version

NO_PYTHON = 127
"""Exit code of a shell that finds no such program."""
NO_SUDO, OLD_PYTHON = 94, 95
"""Exit codes of the start, chosen so that nothing else means them."""

_NEEDED = {"sudo": NO_SUDO, "python3": NO_PYTHON}

_PACKAGE = Path(__file__).parents[1]
_UNDERSTOOD_BY_ALL = 2
"""A version of `marshal` that every Python reads."""
_MARK_BYTES = 16

_FIRST_WORDS = 'exec(eval(open(0,"rb",0,closefd=False).readline()))'
"""Reads the start script from its input, byte by byte, so that nothing of what follows is taken."""

_packing = threading.Lock()

_START = f"""
import gc, os, sys
gc.disable()
if sys.version_info < (3, 9):
    sys.stderr.write("%d.%d" % sys.version_info[:2])
    sys.exit({OLD_PYTHON})
import marshal, zlib
from importlib.machinery import ModuleSpec
from importlib.util import MAGIC_NUMBER

def taken(size):
    box = bytearray()
    while len(box) < size:
        piece = os.read(0, min(size - len(box), 65536))
        if not piece:
            sys.exit(0)
        box += piece
    return box

line = open(0, "rb", 0, closefd=False).readline().split()
boxes = [taken(int(size)) for size in line[1:]]
compiled = line[0] == MAGIC_NUMBER.hex().encode()
modules = marshal.loads(boxes[not compiled])
packages = {{name.rpartition(".")[0] for name in modules}}
del boxes

class Library:
    def find_spec(self, name, path=None, target=None):
        if name in modules:
            return ModuleSpec(name, self, is_package=name in packages)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        content = zlib.decompress(modules[module.__name__])
        name = module.__name__.rpartition(".")[2] + ".py"
        exec(marshal.loads(content) if compiled else compile(content, name, "exec"), module.__dict__)

sys.meta_path.insert(0, Library())
from reconciler.resources.channel.remote import main
gc.enable()
main()
"""
"""Nothing of what is loaded becomes garbage, so that looking for some would be a tenth of the start."""


def command(*, become: bool) -> str:
    """What the login shell is asked to run, whichever shell it is."""
    start = shlex.join(["python3", "-I", "-S", "-X", "utf8", "-c", _FIRST_WORDS])
    if not become:
        return f"exec {start}"
    tests = [f"command -v {name} >/dev/null 2>&1 || exit {code}" for name, code in _NEEDED.items()]
    return shlex.join(["/bin/sh", "-c", "; ".join([*tests, f"exec sudo -n -- {start}"])])


def shipment() -> bytes:
    """What is sent first: the start script, what the modules were made for, and they. Of many threads one packs."""
    with _packing:
        return _shipment()


@functools.cache
def _shipment() -> bytes:
    start = f"{_START!r}\n".encode("ascii")
    beside = Path(importlib.util.cache_from_source(__file__))
    shelf, name = Shelf(beside.parent), beside.with_suffix(".packed").name
    kept = shelf.read(name) or b""
    packed = start + kept[_MARK_BYTES:]
    if kept[:_MARK_BYTES] == _mark(packed):
        return packed
    boxes = _boxes()
    packed = start + boxes
    if not sys.dont_write_bytecode:
        shelf.write(name, _mark(packed) + boxes)
    return packed


def _mark(packed: bytes) -> bytes:
    """Tells boxes that are whole, and were packed by this code for this start script, from others."""
    return hashlib.blake2b(packed, key=code_version().encode("ascii"), digest_size=_MARK_BYTES).digest()


def _boxes() -> bytes:
    sources = {_module(path): path for path in (_PACKAGE / "__init__.py", *(_PACKAGE / "resources").rglob("*.py"))}
    boxes = [
        _packed({module: _bytecode(module, path) for module, path in sources.items()}),
        _packed({module: path.read_bytes() for module, path in sources.items()}),
    ]
    made_for = importlib.util.MAGIC_NUMBER.hex()
    line = f"{made_for} {' '.join(str(len(box)) for box in boxes)}\n"
    return line.encode("ascii") + b"".join(boxes)


def _packed(modules: Mapping[str, bytes]) -> bytes:
    """Each by itself, since a host uses half of them."""
    return marshal.dumps({name: zlib.compress(modules[name]) for name in sorted(modules)}, _UNDERSTOOD_BY_ALL)


def _module(source: Path) -> str:
    return ".".join(source.relative_to(_PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def _bytecode(module: str, source: Path) -> bytes:
    """Of this Python, which has most of it in its cache, beside what tells which source it was made from."""
    found = source.stat()
    made_from = struct.pack("<4sIII", importlib.util.MAGIC_NUMBER, 0, int(found.st_mtime), found.st_size)
    with contextlib.suppress(OSError, NotImplementedError):
        cached = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        if cached.startswith(made_from):
            return cached[len(made_from) :]
    return marshal.dumps(SourceFileLoader(module, str(source)).get_code(module))
