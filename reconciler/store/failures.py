"""The one place where an exception of redis-py becomes an error that a person can act on."""

from __future__ import annotations

from redis import exceptions as redis_errors

from reconciler.errors import InvalidInput, ReconcilerError, Unavailable

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


def of_data(reply: object) -> bool:
    """Whether a reply is an error for which the content of a key is to blame, and nothing else."""
    return type(reply) is redis_errors.ResponseError and any(words in str(reply) for words in _OF_DATA)


def translated(error: Exception, where: str, key: str = "", *, ours: bool = False) -> ReconcilerError:
    """The error to raise instead.

    Args:
        error: of redis-py, or of the system.
        where: names the server without its password.
        key: what was asked of it.
        ours: whether it is embedded, so that nobody has to start it.
    """
    message = str(error)
    for recognise, kind, code, says, hint in _KNOWN:
        if isinstance(error, recognise) if isinstance(recognise, type) else message.startswith(recognise):
            told = says.format(key=key or "a key of ours")
            remedy = _STARTED_AGAIN if ours and code == "redis-unreachable" else hint.format(message=message)
            return kind.of(code, f"{where}: {told}", hint=remedy)
    return Unavailable.of("redis-error", f"{where}: {message or type(error).__name__}")


_STARTED_AGAIN = "The embedded server has ended; the next try starts it again."
_CREDENTIALS = "Check user and password in RECONCILER_REDIS_URL."
_KNOWN: tuple[tuple[type[Exception] | str, type[ReconcilerError], str, str, str], ...] = (
    (redis_errors.AuthenticationError, InvalidInput, "redis-denied", "the password is wrong or missing", _CREDENTIALS),
    ("WRONGPASS", InvalidInput, "redis-denied", "the password is wrong", _CREDENTIALS),
    ("NOAUTH", InvalidInput, "redis-denied", "a password is needed", _CREDENTIALS),
    (
        redis_errors.NoPermissionError,
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
        redis_errors.ReadOnlyError,
        Unavailable,
        "redis-read-only",
        "this is a read-only replica",
        "Point RECONCILER_REDIS_URL at the primary, or use redis+sentinel:// so that it is found.",
    ),
    (
        redis_errors.OutOfMemoryError,
        Unavailable,
        "redis-full",
        "the memory limit is reached, nothing can be written",
        "Raise maxmemory.",
    ),
    (
        redis_errors.BusyLoadingError,
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
        redis_errors.ClusterDownError,
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
        redis_errors.TimeoutError,
        Unavailable,
        "redis-timeout",
        "no answer in time",
        "Is the server overloaded, or the network cut?",
    ),
    (
        redis_errors.ConnectionError,
        Unavailable,
        "redis-unreachable",
        "cannot be reached",
        "({message}) Is it running? Check RECONCILER_REDIS_URL.",
    ),
)
