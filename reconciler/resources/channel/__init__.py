"""The far end of an SSH channel, and the framing that both ends speak."""
