"""What can be told of a `when` without knowing a host. Called while manifests are read, and by notes; light to load."""


def never_in_a_sandbox(condition: str) -> bool:
    """Whether an expression is false on every sandbox host, whatever else is so there."""
    from reconciler.manifests.syntax import statically  # noqa: PLC0415 - Jinja loads only if needed

    return statically(condition, {("host", "sandbox"): True}) is False
