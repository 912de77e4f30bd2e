"""Reconciler: keeps a fleet of plain Linux hosts in the state that a git repository describes."""

__version__ = "0.1.0"
