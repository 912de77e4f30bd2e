"""The state directory itself (`.reconciler/`): private, and never committed. Called by wiring before anything in it."""

from __future__ import annotations

import os
from pathlib import Path


def prepare_state_dir(state_dir: Path) -> None:
    """Make the directory (0700) with a `.gitignore` that ignores all of it; does nothing where both are there."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = state_dir / ".gitignore"
    if not ignore.exists():
        new = state_dir / f".gitignore.{os.getpid()}"
        new.write_text("*\n")
        new.rename(ignore)
