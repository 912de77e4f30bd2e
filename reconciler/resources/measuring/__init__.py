"""What a host measures: its counters, and what its apps say of themselves; health checks included."""
