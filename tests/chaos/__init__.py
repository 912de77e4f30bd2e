"""Runs of jobs under faults: real executors, a real Redis, killed and cut while a fleet's jobs run."""
