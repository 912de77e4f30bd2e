"""paramiko without `invoke`, which takes half of its 0.25 s and only serves `Match exec` in `~/.ssh/config`.

The modules of this room take paramiko from here. A config with `Match exec` is then told as one that is not understood.
"""

from __future__ import annotations

import sys

_needless = "invoke" not in sys.modules
if _needless:
    sys.modules["invoke"] = None  # type: ignore[assignment] # Python's own way to say: not to be had

import paramiko  # noqa: E402 - see above

if _needless:
    del sys.modules["invoke"]

__all__ = ["paramiko"]
