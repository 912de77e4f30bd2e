"""Runs of jobs: submitted, claimed, carried out and followed."""
