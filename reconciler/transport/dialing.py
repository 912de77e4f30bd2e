"""From a route to an SSH connection: sockets that notice a cut network, verified host keys, jump hosts, login."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TypeAlias

from reconciler.errors import Place, Unavailable
from reconciler.transport.host_keys import Expected, PublicKey, check, expected_of
from reconciler.transport.login import log_in
from reconciler.transport.slim_paramiko import paramiko
from reconciler.transport.sockets import CONNECT_SECONDS, connected
from reconciler.transport.ssh_config import Server

GREETING_SECONDS = 15.0
"""How long a server may take to say who it is and to agree on keys."""
IDLE_SECONDS = 5.0
"""paramiko looks ten times a second whether its connection was closed; so often is enough."""

Wire: TypeAlias = socket.socket | paramiko.Channel

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # nothing of it on a terminal without a log


class Dialer:
    """Connects to servers; jump hosts are connected to once and shared."""

    def __init__(self) -> None:
        self._jumps: dict[tuple[Server, ...], Future[paramiko.Transport]] = {}
        self._lock = threading.Lock()

    def connect(self, way: Sequence[Server]) -> paramiko.Transport:
        """A logged-in connection to the last server of the way.

        Raises:
            Unavailable: it, or a jump host, cannot be reached, is another one than expected, or lets us not in.
        """
        *through, server = way
        expected = expected_of(server.stop, server.known_name, server.port, server.known_hosts)
        transport = self._greeted(through, server, expected)
        try:
            log_in(transport, server)
        except (paramiko.SSHException, EOFError, OSError) as error:
            hang_up(transport)
            raise unreachable(server, error) from error
        except BaseException:
            hang_up(transport)
            raise
        transport.sock.settimeout(IDLE_SECONDS)
        return transport

    def close(self) -> None:
        """Leave the jump hosts."""
        with self._lock:
            jumps, self._jumps = list(self._jumps.values()), {}
        for jump in jumps:
            if jump.done() and jump.exception() is None:
                hang_up(jump.result())

    def _greeted(self, through: Sequence[Server], server: Server, expected: Expected) -> paramiko.Transport:
        """A connection whose server is the right one.

        A server has keys of several types. Where only a fingerprint is known, a type that does not fit is no proof, so
        the others are asked for too.
        """
        unfit: list[str] = []
        first: PublicKey | None = None
        while True:
            try:
                transport = self._negotiated(through, server, expected.kinds, unfit)
            except (paramiko.SSHException, EOFError, OSError) as error:
                if first is None:
                    raise unreachable(server, error) from error
                check(server.name, expected, first, server.known_name)
                raise
            raw = transport.get_remote_server_key()
            key = PublicKey(raw.get_name(), raw.get_base64())
            if expected.accepts(key):
                return transport
            hang_up(transport)
            first = first or key
            unfit += _algorithms(key.kind)
            if not expected.fingerprint or key in expected.revoked:
                check(server.name, expected, first, server.known_name)

    def _negotiated(
        self, through: Sequence[Server], server: Server, kinds: Sequence[str], unfit: Sequence[str]
    ) -> paramiko.Transport:
        transport = paramiko.Transport(self._wire(through, server))
        try:
            options = transport.get_security_options()
            known = {algorithm for kind in kinds for algorithm in _algorithms(kind)}
            offered = [kind for kind in options.key_types if kind not in unfit]
            if not offered:
                raise paramiko.SSHException("no further type of host key")
            options.key_types = sorted(offered, key=lambda kind: kind not in known)
            transport.banner_timeout = 2 * GREETING_SECONDS  # so that it is always the next line that gives up
            transport.start_client(timeout=GREETING_SECONDS)
            if not transport.initial_kex_done:
                raise paramiko.SSHException(f"no answer within {GREETING_SECONDS:g} s")
        except BaseException:
            hang_up(transport)
            raise
        return transport

    def _wire(self, through: Sequence[Server], server: Server) -> Wire:
        if through:
            jump = self._jump(tuple(through))
            place = (server.address, server.port)
            return jump.open_channel("direct-tcpip", place, ("127.0.0.1", 0), timeout=CONNECT_SECONDS)
        return connected(server.address, server.port)

    def _jump(self, way: tuple[Server, ...]) -> paramiko.Transport:
        """The connection to a jump host, made by whoever needs it first; who waits for it shares how that ends."""
        with self._lock:
            found = self._jumps.get(way)
            first = found is None or (found.done() and not _usable(found))
            if found is None or first:
                found = self._jumps[way] = Future()
        if first:
            try:
                found.set_result(self.connect(way))
            except BaseException as error:
                found.set_exception(error)
                raise
        return found.result()


def _usable(jump: Future[paramiko.Transport]) -> bool:
    return jump.exception() is None and jump.result().is_active()


def hang_up(transport: paramiko.Transport) -> None:
    """Close a connection at once: its thread is waiting in the socket."""
    with contextlib.suppress(OSError, EOFError):
        if isinstance(transport.sock, socket.socket):
            transport.sock.shutdown(socket.SHUT_RDWR)
    transport.sock.close()
    transport.close()


def unreachable(server: Server, error: Exception) -> Unavailable:
    """The error for a server that cannot be spoken to."""
    said = str(error.strerror if isinstance(error, OSError) and error.strerror else error) or type(error).__name__
    if isinstance(error, TimeoutError):
        said = f"no answer within {CONNECT_SECONDS:g} s"
    return Unavailable.of(
        "unreachable",
        f"cannot reach {server.address} port {server.port}: {said}",
        place=Place(host=server.name),
        hint="Is it switched on, and its address right?",
    )


def _algorithms(kind: str) -> tuple[str, ...]:
    """Signature algorithms of a type of key."""
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if kind == "ssh-rsa" else (kind,)
