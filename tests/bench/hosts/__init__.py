"""Benchmarks on real hosts, booted on this machine: `make bench-fleet` runs them."""
