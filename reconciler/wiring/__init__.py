"""The only place where real objects are built: `session` for commands on the ops server, `agent` for a host."""
