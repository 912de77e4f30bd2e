"""Logging in to an SSH server with keys: those of ssh-agent, then files. Called by `dialing`; no passwords."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import Place, Unavailable
from reconciler.transport.slim_paramiko import paramiko
from reconciler.transport.ssh_config import Server

AUTH_SECONDS = 30.0


def log_in(transport: paramiko.Transport, server: Server) -> None:
    """Authenticate.

    Raises:
        Unavailable: `login-refused`, naming what was tried.
        paramiko.SSHException, EOFError, OSError: the connection ended.
    """
    transport.auth_timeout = AUTH_SECONDS
    tried: list[str] = []
    agent = paramiko.Agent() if server.agent else None
    try:
        for name, key in _keys(server, agent, tried):
            tried.append(name)
            try:
                if not transport.auth_publickey(server.user, key):
                    return
            except paramiko.BadAuthenticationType:
                break
            except paramiko.AuthenticationException:
                if not transport.is_active():
                    break
    finally:
        if agent is not None:
            agent.close()
    raise Unavailable.of(
        "login-refused",
        f"{server.address} does not let {server.user} in with {', '.join(tried) or 'no key at all'}",
        place=Place(host=server.name),
        hint=_hint(server, tried),
    )


def _hint(server: Server, tried: list[str]) -> str:
    if tried:
        return f"Put a key's .pub into {server.user}'s ~/.ssh/authorized_keys there, or set connection.user"
    looked = ", ".join(str(path) for path in server.keys)
    return f"ssh-agent offers none and none stands in {looked}. ssh-add one, or name it: IdentityFile in ~/.ssh/config"


def _keys(server: Server, agent: paramiko.Agent | None, tried: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
    for key in agent.get_keys() if agent else ():
        yield f"agent key {getattr(key, 'comment', '') or key.fingerprint}", key
    for path in server.keys:
        try:
            yield str(path), _loaded(str(path), path.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
        except (paramiko.SSHException, TypeError):
            tried.append(f"{path} (needs a passphrase: ssh-add it)")
        except (OSError, ValueError):
            tried.append(f"{path} (cannot be read)")


@functools.lru_cache(maxsize=64)
def _loaded(path: str, modified: int) -> paramiko.PKey:  # noqa: ARG001 - read again once the file changed
    key: paramiko.PKey = paramiko.PKey.from_path(Path(path))
    return key
