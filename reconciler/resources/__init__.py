"""What can be managed on a host, and the engine that applies it.

Runs inside the executor for local hosts and agents, and is shipped to the hosts over SSH: standard library only,
Python 3.9 syntax, no import from the rest of the package.
"""
