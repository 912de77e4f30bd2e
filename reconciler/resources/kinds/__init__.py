"""The kinds of resources, one module each, their common shape, and the registry that finds them by name."""
