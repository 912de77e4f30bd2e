"""The one structlog set-up, for processes that serve (`watch`, `agent`). Called by wiring; everyone else only logs.

Events are names with key-values. Secrets are masked in all of them, also in those of libraries that use the standard
library's logging.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from reconciler.model.texts import printable
from reconciler.trust import Masker


def configure_logging(level: str, *, terminal: bool, masker: Masker) -> None:
    """Log to standard error from now on.

    Args:
        level: of our own events: debug, info, warning or error. Libraries are heard from `warning` on.
        terminal: whether people read along; else each line is one JSON map.
        masker: takes secret values out of everything that is logged.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Masking(masker),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if terminal:
        renderer = for_people
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # of libraries; ours below
    logging.getLogger("reconciler").setLevel(level.upper())


class Masking:
    """A processor that masks secret values in an event's name and values."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {name: self._masked(name, value) for name, value in event.items()}

    def _masked(self, name: str, value: Any) -> Any:
        if name.startswith("_") or isinstance(value, int | float | None):
            return value  # `_record` and the like belong to structlog
        if isinstance(value, str | dict | list | tuple):
            return self._masker.mask_all(value)
        return self._masker.mask(str(value))


_QUIET = frozenset({"event", "level", "timestamp", "logger"})


def for_people(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    """`07:53:23  converged  host=demo app=webapp changed=1`, and each line of an error on a line of its own.

    Hosts write parts of it, so whatever a terminal would obey is escaped.
    """
    time = str(event.get("timestamp", ""))[11:19]
    values = {name: str(value) for name, value in event.items() if name not in _QUIET}
    long = [line for value in values.values() if "\n" in value for line in value.rstrip("\n").split("\n")]
    short = " ".join(f"{name}={printable(value)}" for name, value in values.items() if "\n" not in value)
    return "\n".join(
        [f"{time}  {event.get('event', ''):<11} {short}".rstrip(), *(f"          {printable(line)}" for line in long)]
    )
