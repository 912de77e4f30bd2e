"""`service`: whether a service runs and starts at boot; the engine decides when it is reloaded or restarted."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, Mapping, Optional, Tuple

from reconciler.resources.failure import Failure
from reconciler.resources.fields import Fields
from reconciler.resources.kinds.resource import ADD, CHANGE, NOTHING, Difference, Resource, changes
from reconciler.resources.machine.system import Command, System
from reconciler.resources.records.ledger import Owned
from reconciler.resources.tools.service_tools import ServiceState, service_tool
from reconciler.resources.values import dataclass

RESTART = "restart"
RELOAD = "reload"


@dataclass(frozen=True)
class Service(Resource):
    """A service. What `restart_on` and `reload_on` name decides when it needs the one or the other.

    When it leaves the manifests and was not there before us, it is stopped and disabled.
    """

    kind: ClassVar[str] = "service"

    name: str
    running: bool = True
    enabled: Optional[bool] = True
    restart_on: Tuple[str, ...] = ()
    """Names or ids of resources, or `path:GLOB`."""
    reload_on: Tuple[str, ...] = ()
    check: Tuple[str, ...] = ()
    """Run before a reload or restart; it has to succeed."""

    @classmethod
    def parse(cls, fields: Fields) -> "Service":
        """Read the manifest's fields."""
        return cls(
            name=fields.text("name"),
            running=fields.choice("state", "running", "stopped") == "running",
            enabled=fields.flag("enabled", default=True),
            restart_on=fields.texts("restartOn"),
            reload_on=fields.texts("reloadOn"),
            check=fields.argv("check"),
        )

    def triggers(self, verb: str) -> Tuple[str, ...]:
        """What makes it need a restart or a reload."""
        return self.restart_on if verb == RESTART else self.reload_on

    def inspect(self, system: System) -> Optional[ServiceState]:
        return service_tool(system).look(system, self.name)

    def difference(self, actual: Optional[ServiceState]) -> Difference:
        if actual is None:
            unwanted = not self.running and not self.enabled
            return NOTHING if unwanted else Difference(ADD, ("there is no such service yet",))
        lines = changes(
            ("state", _word(running=actual.running), _word(running=self.running)),
            ("enabled", actual.enabled, actual.enabled if None in {self.enabled, actual.enabled} else self.enabled),
        )
        return Difference(CHANGE, lines) if lines else NOTHING

    def apply(self, system: System, difference: Difference) -> None:
        tool = service_tool(system)
        actual = tool.look(system, self.name)
        if actual is None or actual.stale:
            tool.refresh(system)
            actual = tool.look(system, self.name)
        if actual is None:
            raise Failure("no-such-service", f"there is no service {self.name}", "Which package or file brings it?")
        if None not in {self.enabled, actual.enabled} and actual.enabled != self.enabled:
            tool.act(system, "enable" if self.enabled else "disable", self.name)
        if actual.running != self.running:
            tool.act(system, "start" if self.running else "stop", self.name)

    def renew(self, system: System, verb: str) -> None:
        """Restart or reload it."""
        tool = service_tool(system)
        actual = tool.look(system, self.name)
        if actual is not None and actual.stale:
            tool.refresh(system)
        tool.act(system, verb, self.name)

    def check_passes(self, system: System) -> None:
        """Run the check.

        Raises:
            Failure: `check-failed`, with what it said.
        """
        if not self.check:
            return
        done = system.run(Command(self.check, timeout_seconds=60.0))
        if not done.ok:
            refused = f"{self.check[0]} refuses the new configuration"
            raise Failure("check-failed", refused, f"{self.name} goes on with the old one.", done.complaint)

    def memory(self, actual: Optional[ServiceState]) -> Dict[str, Any]:
        if actual is None:
            return {"name": self.name, "running": False, "enabled": None}
        return {"name": self.name, "running": actual.running, "enabled": actual.enabled}

    @classmethod
    def memory_of(cls, system: System, owned: Owned) -> Dict[str, Any]:
        service = cls(owned.fields["name"])
        return service.memory(service.inspect(system))

    @classmethod
    def restore(cls, system: System, memory: Mapping[str, Any]) -> None:
        _settle(system, cls(memory["name"], memory["running"], memory["enabled"]))

    def recorded(self, *, sensitive: bool) -> Dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def remove(cls, system: System, owned: Owned) -> None:
        _settle(system, cls(owned.fields["name"], running=False, enabled=False))


def _settle(system: System, service: Service) -> None:
    actual = service.inspect(system)
    difference = service.difference(actual)
    if actual is not None and difference:
        service.apply(system, difference)


def _word(*, running: bool) -> str:
    return "running" if running else "stopped"
