"""Puts agents on hosts and takes them away again: wheels, a systemd unit, keys, a Redis user.

Called by wiring for `reconcile hosts enroll` and `upgrade`. Reaching a host is transport's part, what runs there is
`reconcile agent`.
"""
