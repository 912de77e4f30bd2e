"""The scheduler: starts runs by time or on a condition."""
