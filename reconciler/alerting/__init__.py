"""Alert rules, pure: expressions over metrics, the states of alerts, and whom to tell what and when.

Collectors evaluate rules where the metrics are taken; the monitor groups and routes what changed.
"""
