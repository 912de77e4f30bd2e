"""The executor: brings a host to what was signed for it, and looks for drift. Used by one-shots, watches, agents."""
