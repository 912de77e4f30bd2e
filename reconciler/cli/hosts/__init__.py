"""Look after the hosts themselves: what is known of them, and the agents on them."""

ACTIONS = {
    "list": "list the hosts (the default)",
    "facts": "print what is known of their machines",
    "metrics": "print what was measured on them",
    "enroll": "bring an agent to a host, or take it away",
    "upgrade": "bring this version to the agents",
    "forget": "forget one that left the manifests",
    "acl": "print or make the Redis users of agents",
}
