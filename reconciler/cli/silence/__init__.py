"""Keep alerts quiet for a time, by hand. What comes again and again belongs into the manifests (kind Silence)."""

ACTIONS = {
    "list": "list silences (the default)",
    "add": "tell nobody of some alerts for a time",
    "expire": "end a silence now",
}
