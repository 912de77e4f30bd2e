"""One page over HTTP, for a health check; apart from `health`, since these libraries are slow to load."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any, Tuple

_BODY_BYTES = 1 << 20


def fetch(url: str, timeout: float) -> Tuple[int, str]:
    """Status and text; a redirect is an answer of its own.

    Raises:
        OSError: there is no answer.
    """
    opener = urllib.request.build_opener(_NoRedirect(), urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return int(answer.status), answer.read(_BODY_BYTES).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_BODY_BYTES).decode(errors="replace")
    except urllib.error.URLError as error:
        raise OSError(str(getattr(error.reason, "strerror", "") or error.reason)) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """`status: 301` can be asked for."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""
