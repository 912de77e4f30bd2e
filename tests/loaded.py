"""Loads all of `reconcile`. Imported by the process that `tests/forks.py` forks from, and by nothing else."""

import gc
import pkgutil
from importlib import import_module

import reconciler

for _module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    import_module(_module.name)
gc.freeze()  # what is loaded stays: no process that is forked goes through it
