"""Who runs a host's services: systemd or System V init; how each looks and acts. Used by `service`.

Sources: systemctl(1), systemd's D-Bus properties, service(8), update-rc.d(8), chkconfig(8).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar, Optional, Tuple

from reconciler.resources.machine.system import Command, System
from reconciler.resources.tools.accounts import carry_out
from reconciler.resources.values import dataclass

_UNIT = re.compile(r".+\.(service|socket|timer|path|target|mount|automount|swap|slice)\Z")


@dataclass(frozen=True)
class ServiceState:
    """A service as it is."""

    running: bool
    enabled: Optional[bool]
    """Whether it starts at boot; None where that cannot be chosen (static units)."""
    started_at: float = 0.0
    """Unix seconds since when it runs; 0 where nobody knows."""
    stale: bool = False
    """Its unit file changed since systemd read it."""


class ServiceTool(ABC):
    """One way of running services."""

    @abstractmethod
    def look(self, system: System, name: str) -> Optional[ServiceState]:
        """The service's state, or None if there is no such service."""

    @abstractmethod
    def act(self, system: System, verb: str, name: str) -> None:
        """start, stop, restart, reload, enable or disable."""

    def refresh(self, system: System) -> None:
        """Make changed service definitions known."""


class Systemd(ServiceTool):
    """systemd, asked by `systemctl show`: one call for all that is needed."""

    _PROPERTIES: ClassVar[Tuple[str, ...]] = (
        "LoadState",
        "ActiveState",
        "UnitFileState",
        "NeedDaemonReload",
        "ActiveEnterTimestampMonotonic",
    )

    def look(self, system: System, name: str) -> Optional[ServiceState]:
        argv = ("systemctl", "show", f"--property={','.join(self._PROPERTIES)}", unit(name))
        printed = system.run(Command(argv, timeout_seconds=60.0)).stdout
        found = dict(line.partition("=")[::2] for line in printed.splitlines())
        if found.get("LoadState", "not-found") == "not-found":
            return None
        return ServiceState(
            running=found.get("ActiveState") in {"active", "reloading", "activating"},
            enabled=_enabled(found.get("UnitFileState", "")),
            started_at=_since(system, int(found.get("ActiveEnterTimestampMonotonic") or 0)),
            stale=found.get("NeedDaemonReload") == "yes",
        )

    def act(self, system: System, verb: str, name: str) -> None:
        carry_out(system, ("systemctl", verb, unit(name)))

    def refresh(self, system: System) -> None:
        carry_out(system, ("systemctl", "daemon-reload"))


class SysvInit(ServiceTool):
    """Scripts in /etc/init.d, run through `service`."""

    def look(self, system: System, name: str) -> Optional[ServiceState]:
        if system.look(f"/etc/init.d/{name}") is None:
            return None
        running = system.run(Command(("service", name, "status"), timeout_seconds=60.0)).ok
        return ServiceState(running=running, enabled=self._enabled(system, name))

    def _enabled(self, system: System, name: str) -> bool:
        levels = [f"/etc/rc{level}.d" for level in (2, 3, 5)]
        links = [link for level in levels if system.look(level) for link in system.listdir(level)]
        return any(re.match(r"S\d\d", link) and link[3:] == name for link in links)

    def act(self, system: System, verb: str, name: str) -> None:
        if verb not in {"enable", "disable"}:
            carry_out(system, ("service", name, verb))
        elif system.has_program("update-rc.d"):
            if verb == "enable":
                carry_out(system, ("update-rc.d", name, "defaults"))
            carry_out(system, ("update-rc.d", name, verb))
        else:
            carry_out(system, ("chkconfig", name, "on" if verb == "enable" else "off"))


def unit(name: str) -> str:
    """The unit's full name: `nginx` is `nginx.service`."""
    return name if _UNIT.match(name) else f"{name}.service"


def service_tool(system: System) -> ServiceTool:
    """What runs the services: systemd where it runs (sd_booted(3)), else System V init."""
    return Systemd() if system.look("/run/systemd/system") is not None else SysvInit()


def _enabled(state: str) -> Optional[bool]:
    if state in {"enabled", "enabled-runtime"}:
        return True
    return False if state in {"disabled", "linked", "linked-runtime", "masked", "masked-runtime"} else None


def _since(system: System, microseconds: int) -> float:
    """Unix time of a moment that systemd gives by the timer that is also ours, CLOCK_MONOTONIC; 0 where it gives none.

    It is compared with files that were written in the moment before, so the time of boot, a whole second, will not do.
    """
    if not microseconds:
        return 0.0
    return system.clock.timestamp() - system.clock.monotonic() + microseconds / 1e6
