"""Everything that a person reads: pure functions from values of the model to text; only `progress` writes by itself.

The command line and the web pages call this room; what is true, and what to do about it, is decided below it.
"""
