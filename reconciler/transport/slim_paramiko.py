"""The part of paramiko that connects, without what it never uses here: half of its 0.1 s.

The modules of this room take paramiko from here. Its own door loads all of it, asks the installed packages for its
version, and loads `invoke`, which only serves `Match exec` in `~/.ssh/config`: such a file is then told as one that is
not understood. Whoever asks the package for more than stands here gets all of it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_NAMES = {
    "transport": ("Transport",),
    "channel": ("Channel",),
    "pkey": ("PKey",),
    "rsakey": ("RSAKey",),
    "ecdsakey": ("ECDSAKey",),
    "ed25519key": ("Ed25519Key",),
    "agent": ("Agent",),
    "config": ("SSHConfig",),
    "ssh_exception": ("AuthenticationException", "BadAuthenticationType", "SSHException"),
}
"""Module of paramiko -> what we, and paramiko's loader of keys, take from the package."""
_KEYS = ("RSAKey", "Ed25519Key", "ECDSAKey")
"""The kinds of keys that an ssh-agent's are looked for among, in the package's own order."""


def _slim() -> ModuleType:
    """The package with these names, where nobody has loaded it before."""
    if "paramiko" in sys.modules:
        return sys.modules["paramiko"]
    spec = find_spec("paramiko")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("paramiko is not installed", name="paramiko")
    package = module_from_spec(spec)
    sys.modules["paramiko"] = package
    package.__version__ = "slim"  # type: ignore[attr-defined] # it is told to servers
    package.__getattr__ = lambda name: _from_all(package, spec, name)  # type: ignore[method-assign]
    needless = "invoke" not in sys.modules
    if needless:
        sys.modules["invoke"] = None  # type: ignore[assignment] # Python's own way to say: not to be had
    for module, names in _NAMES.items():
        loaded = import_module(f"paramiko.{module}")
        vars(package).update((name, getattr(loaded, name)) for name in names)
    vars(package)["key_classes"] = [getattr(package, name) for name in _KEYS]
    if needless:
        del sys.modules["invoke"]
    return package


def _from_all(package: ModuleType, spec: ModuleSpec, name: str) -> Any:
    """What is not among the names. A module of the package is found by itself, once it is none of these."""
    if name.startswith("__") or spec.loader is None or find_spec(f"paramiko.{name}"):
        raise AttributeError(f"module 'paramiko' has no attribute {name!r}", name=name, obj=package)
    del package.__getattr__
    spec.loader.exec_module(package)
    return getattr(package, name)


if TYPE_CHECKING:
    import paramiko
else:
    paramiko = _slim()

__all__ = ["paramiko"]
