"""When the certificate that a server shows expires, also where nobody should trust it any more. Used by `checkups`.

The standard library tells the dates of a certificate only after it has verified it, so they are read from its DER
here: RFC 5280, section 4.1; X.690 for the encoding.
"""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Tuple

_SECONDS = 5.0
_SEQUENCE, _VERSION, _UTC_TIME = 0x30, 0xA0, 0x17


def certificate_expiry(address: str, server_name: str) -> float:
    """Unix time of `notAfter`.

    Raises:
        OSError: nobody answers there, or not with TLS.
        ValueError: what it showed is no certificate.
    """
    import ssl  # noqa: PLC0415 - slow to load, and a start over SSH waits

    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whether it is to be trusted is the health check's question
    with (
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=server_name or host) as secured,
    ):
        return not_after(secured.getpeercert(binary_form=True) or b"")


def not_after(certificate: bytes) -> float:
    """Unix time at which a certificate (DER) expires.

    Raises:
        ValueError: it is none.
    """
    try:
        return _not_after(certificate)
    except IndexError:
        raise ValueError("no certificate") from None


def _not_after(certificate: bytes) -> float:
    content = _inside(certificate, 0, _SEQUENCE)
    at = _inside(certificate, content, _SEQUENCE)
    if certificate[at] == _VERSION:
        at = _after(certificate, at)
    for _ in range(3):  # serial number, signature algorithm, issuer
        at = _after(certificate, at)
    at = _after(certificate, _inside(certificate, at, _SEQUENCE))  # past notBefore
    start, length = _content(certificate, at)
    text = certificate[start : start + length].decode("ascii")
    if certificate[at] == _UTC_TIME:
        text = f"{'20' if text[:2] < '50' else '19'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def _inside(data: bytes, at: int, kind: int) -> int:
    if data[at] != kind:
        raise ValueError("no certificate")
    return _content(data, at)[0]


def _after(data: bytes, at: int) -> int:
    start, length = _content(data, at)
    return start + length


def _content(data: bytes, at: int) -> Tuple[int, int]:
    """Where the content of what begins at `at` begins, and its length."""
    length = data[at + 1]
    if length < 0x80:
        return at + 2, length
    count = length & 0x7F
    return at + 2 + count, int.from_bytes(data[at + 2 : at + 2 + count], "big")
