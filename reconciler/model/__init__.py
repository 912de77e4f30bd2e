"""Frozen values that the rooms hand to each other. No I/O, no rules beyond their own invariants."""
