"""Fetching a URL into a file, bounded in size and in the time without an answer. Called by `posix`."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from base64 import b64encode
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from reconciler.resources.failure import Failure

SCHEMES = frozenset({"http", "https"})
_SILENCE_SECONDS = 30.0
_PIECE_BYTES = 1 << 20


def fetch(url: str, file: BinaryIO, limit: int) -> None:
    """Write what the URL answers into the file. Proxies are taken from the environment.

    Raises:
        Failure: `download-failed`; the message names the URL without a user or password in it.
    """
    try:
        with urllib.request.build_opener().open(_asked(url), timeout=_SILENCE_SECONDS) as answer:
            written = 0
            while piece := answer.read(_PIECE_BYTES):
                written += len(piece)
                if written > limit:
                    raise _failed(url, f"it is larger than {limit >> 20} MiB")
                file.write(piece)
    except urllib.error.HTTPError as error:
        with error:
            raise _failed(url, f"status {error.code}") from error
    except urllib.error.URLError as error:
        raise _failed(url, str(getattr(error.reason, "strerror", "") or error.reason)) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failed(url, str(getattr(error, "strerror", "") or error) or type(error).__name__) from error


def _asked(url: str) -> urllib.request.Request:
    """The request; a user and password of the URL go to its own host only, wherever it redirects to."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(parts._replace(netloc=host).geturl())  # noqa: S310 - `archive` takes no other scheme
    if user:
        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
    return request


def shown(url: str) -> str:
    """A URL without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _failed(url: str, why: str) -> Failure:
    return Failure("download-failed", f"cannot fetch {shown(url)}: {why}", "Can the host reach it?")
