"""Look after the secrets that the manifests name; no command shows a value."""

ACTIONS = {
    "check": "say of each secret whether it is found, and who reads it (the default)",
    "seal": "seal the secrets of agents' hosts anew",
}
