"""The one place where what a server said instead of an answer becomes an error that a person can act on."""

from __future__ import annotations

from reconciler.errors import InvalidInput, ReconcilerError, Unavailable
from reconciler.store.nodes import ErrorReply

FUNCTION_MISSING = "Function not found"


_OF_DATA = (
    "WRONGTYPE",
    "user_function:",
    "would overflow",
    "is not an integer",
    "is not a valid float",
    "exhausted the last possible ID",
)
"""What Redis says where a key does not hold what a command or a function of ours expects."""

_OF_SERVER = ("ASK", "CLUSTERDOWN", "MOVED", "NOAUTH", "NOPERM", "OOM", "READONLY", "TRYAGAIN")
"""With these a reply of a function begins, which names the function too, where the key is not to blame."""


def of_data(reply: object) -> bool:
    """Whether a reply is an error for which the content of a key is to blame, and nothing else."""
    said = str(reply) if isinstance(reply, ErrorReply) else ""
    return any(words in said for words in _OF_DATA) and not said.startswith(_OF_SERVER)


def translated(error: ErrorReply, where: str, key: str = "", *, ours: bool = False) -> ReconcilerError:
    """The error to raise instead.

    Args:
        error: what came.
        where: names the server without its password.
        key: what was asked of it.
        ours: whether it is embedded, so that nobody has to start it.
    """
    for begins, kind, code, says, hint in _KNOWN:
        if str(error).startswith(begins):
            told = says.format(key=key or "a key of ours")
            remedy = _STARTED_AGAIN if ours and code == "redis-unreachable" else hint.format(message=error.words)
            return kind.of(code, f"{where}: {told}", hint=remedy)
    return Unavailable.of("redis-error", f"{where}: {error}")


_STARTED_AGAIN = "The embedded server has ended; the next try starts it again."
_CREDENTIALS = "Check user and password in RECONCILER_REDIS_URL."
_KNOWN: tuple[tuple[str, type[ReconcilerError], str, str, str], ...] = (
    ("NOAUTH", InvalidInput, "redis-denied", "the password is wrong or missing", _CREDENTIALS),
    ("WRONGPASS", InvalidInput, "redis-denied", "the password is wrong", _CREDENTIALS),
    (
        "NOPERM",
        InvalidInput,
        "redis-no-permission",
        "this user may not do that",
        "{message}. Give the user of RECONCILER_REDIS_URL this right.",
    ),
    (
        FUNCTION_MISSING,
        Unavailable,
        "functions-missing",
        "the functions that every step needs are not loaded",
        "The ops server loads them: reconcile apply, or reconcile watch.",
    ),
    (
        "READONLY",
        Unavailable,
        "redis-read-only",
        "this is a read-only replica",
        "Point RECONCILER_REDIS_URL at the primary, or use redis+sentinel:// so that it is found.",
    ),
    (
        "OOM",
        Unavailable,
        "redis-full",
        "the memory limit is reached, nothing can be written",
        "Raise maxmemory.",
    ),
    (
        "LOADING",
        Unavailable,
        "redis-loading",
        "the server is still loading its data",
        "Try again in a moment.",
    ),
    (
        "MISCONF",
        Unavailable,
        "redis-disk",
        "the server cannot save to its disk and refuses writes",
        "Look at its log and its free disk space.",
    ),
    ("NOREPLICAS", Unavailable, "redis-replicas", "too few replicas are connected", "Look at min-replicas-to-write."),
    (
        "CLUSTERDOWN",
        Unavailable,
        "redis-cluster-down",
        "the cluster does not serve all its slots",
        "Look: redis-cli --cluster check",
    ),
    (
        "WRONGTYPE",
        InvalidInput,
        "redis-foreign-data",
        "{key} holds something else than this program writes",
        "Is another program using this database with the same prefix?",
    ),
    (
        "unknown command",
        InvalidInput,
        "redis-too-old",
        "the server does not know Redis Functions",
        "Redis 7.0 or Valkey 7.2 is needed.",
    ),
    (
        "TIMEOUT",
        Unavailable,
        "redis-timeout",
        "no answer in time",
        "Is the server overloaded, or the network cut?",
    ),
    (
        "CONNECTION",
        Unavailable,
        "redis-unreachable",
        "cannot be reached",
        "({message}) Is it running? Check RECONCILER_REDIS_URL.",
    ),
)
