"""Decides, from values alone: what should be on each host, what differs, in which order, and whether that is too much.

Commands and loops hand in manifests and what is known of the hosts; reading either, and acting on a plan, is theirs.
Each takes what it needs from the module that holds it, since loading all of them is a tenth of a quick command.
"""
