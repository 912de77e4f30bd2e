"""Where an agent lives on its host, and the text of its unit and of its environment. Pure; used by all that install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

SERVICE = "reconciler-agent.service"
UNIT = f"/etc/systemd/system/{SERVICE}"
SETTINGS_DIRECTORY = "/etc/reconciler"
ENVIRONMENT = f"{SETTINGS_DIRECTORY}/agent.env"
PROGRAM = "/opt/reconciler"
VERSIONS = f"{PROGRAM}/versions"
CURRENT = f"{PROGRAM}/current"
STATE = "/var/lib/reconciler"
KEYS = f"{STATE}/keys.json"
SEALING_KEY = f"{STATE}/sealing.key"

REDIS_URL = "RECONCILER_REDIS_URL"


def unit() -> bytes:
    """The systemd unit."""
    return files(__package__).joinpath(SERVICE).read_bytes()


def environment(host: str, fleet: str, redis_url: str) -> Mapping[str, str]:
    """What the agent is told: who it is, where Redis is, and where it keeps its keys."""
    return {
        "RECONCILER_HOST": host,
        "RECONCILER_FLEET": fleet,
        REDIS_URL: redis_url,
        "RECONCILER_AGENT_DIR": STATE,
    }


def environment_text(values: Mapping[str, str]) -> bytes:
    """As systemd reads it."""
    return "".join(f'{name}="{value}"\n' for name, value in values.items()).encode()


def read_environment(content: bytes | None) -> Mapping[str, str]:
    """The inverse of environment_text; lines that it did not write are left out."""
    pairs = [line.partition("=") for line in (content or b"").decode(errors="replace").splitlines()]
    return {name: value[1:-1] for name, _, value in pairs if value[:1] == value[-1:] == '"'}
