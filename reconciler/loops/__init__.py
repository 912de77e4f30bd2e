"""The loops: each gathers what is known, has a pure room decide, and carries it out. Clock and ports are handed in."""
