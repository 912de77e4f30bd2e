"""The lives of all kinds of resources, told once for each host: at every stage a dry run, an apply and a look.

Used by `test_kinds`. One converge serves all kinds, since each is an app of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.fleet import Fleet
from tests.e2e.kinds import KINDS, Kind
from tests.e2e.ops import Ops

_APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {{name: {name}}}
spec:
  hosts: "*"
  adopt: {adopt}
  resources:
    {resources}
"""


class Stage(enum.Enum):
    """What happens to every kind, in this order."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    DRIFTED = "drifted"
    HEALED = "healed"
    FAILED = "failed"
    PRUNED = "pruned"
    REFUSED = "refused"
    ADOPTED = "adopted"
    LEFT = "left"


@dataclass(frozen=True)
class Outcome:
    """What one stage brought for one kind."""

    planned: Mapping[str, str]
    """Resource -> what the dry run said would be done; `drift` where it only told what others changed."""
    done: Mapping[str, str]
    """Resource -> what the apply says it did."""
    status: str
    """How the app ended; empty where nothing was due."""
    errors: str
    drift: Mapping[str, tuple[str, ...]]
    """Resource -> what differs, as `verify` saw it afterwards."""
    seen: object
    """What the witness saw afterwards, or its error."""


@dataclass
class Story:
    """One host's story, told as far as anyone asked."""

    fleet: Fleet
    host: str
    ops: Ops
    _told: dict[Stage, Mapping[str, Outcome]] = field(default_factory=dict)
    _broken_off: Exception | None = None

    def at(self, stage: Stage, kind: Kind) -> Outcome:
        """How a kind fared at a stage; all stages before it come first."""
        if self._broken_off and stage not in self._told:
            raise self._broken_off
        for each in Stage:
            if each not in self._told:
                self._told[each] = self._tell(each)
            if each is stage:
                break
        return self._told[stage][kind.name]

    def _tell(self, stage: Stage) -> Mapping[str, Outcome]:
        try:
            return self._act(stage)
        except Exception as error:
            self._broken_off = error
            raise

    def _act(self, stage: Stage) -> Mapping[str, Outcome]:
        meddle, declare = _ACTS[stage]
        if meddle:
            script = "\n".join(meddle(kind) for kind in KINDS)
            self.fleet.look(self.host).check_output(script)
        if declare:
            for kind in KINDS:
                self.ops.write(f"manifests/apps/{kind.name}.yaml", declare(kind))
            self.ops.commit(stage.value)
        looks_only = stage is Stage.DRIFTED
        plan = {} if looks_only else self.ops.json("plan")["plan"]
        applied = {} if looks_only else self.ops.json("apply", "--yes", "--allow-deletes", "100")
        verified = self.ops.json("verify")
        witness = self.fleet.look(self.host)
        return {kind.name: _outcome(kind, plan, applied, verified, seen(kind, witness)) for kind in KINDS}


def app_of(kind: Kind, resources: str, adopt: str = "refuse") -> str:
    """The app of a kind, with these resources, on all hosts."""
    return _APP.format(name=kind.name, adopt=adopt, resources=resources)


def _app(resources: Callable[[Kind], str], adopt: str = "refuse") -> Callable[[Kind], str]:
    return lambda kind: app_of(kind, resources(kind), adopt)


def _first(kind: Kind) -> str:
    return kind.first


def _second(kind: Kind) -> str:
    return kind.second


def _broken(kind: Kind) -> str:
    return kind.broken


def _none(kind: Kind) -> str:
    return "[]"


def _theirs(kind: Kind) -> str:
    return kind.foreign


def _meddling(kind: Kind) -> str:
    return kind.drift


_ACTS: Mapping[Stage, tuple[Callable[[Kind], str] | None, Callable[[Kind], str] | None]] = {
    Stage.CREATED: (None, _app(_first)),
    Stage.UNCHANGED: (None, None),
    Stage.CHANGED: (None, _app(_second)),
    Stage.DRIFTED: (_meddling, None),
    Stage.HEALED: (None, None),
    Stage.FAILED: (None, _app(_broken)),
    Stage.PRUNED: (None, _app(_none)),
    Stage.REFUSED: (_theirs, _app(_second)),
    Stage.ADOPTED: (None, _app(_second, "replace")),
    Stage.LEFT: (None, _app(_none)),
}
"""Stage -> what others do first, and what is declared then."""


def seen(kind: Kind, witness: Any) -> object:
    """What a witness sees of a kind, or its error."""
    try:
        return kind.witness(witness)
    except (AssertionError, RuntimeError, ValueError) as error:
        return error


def _named(kind: Kind, apps: Sequence[Mapping[str, Any]], otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((app for app in apps if app["app"] == kind.name), otherwise)


def _outcome(
    kind: Kind, plan: Mapping[str, Any], applied: Mapping[str, Any], verified: Mapping[str, Any], seen: object
) -> Outcome:
    planned: dict[str, str] = {}
    for app in plan.get("apps", ()):
        if app["app"] == kind.name:
            planned |= {drift["resource"]: "drift" for drift in app["drift"]}
            planned |= {change["resource"]: change["action"] for change in app["changes"]}
    (host,) = applied.get("hosts", [{"apps": [], "problems": []}])
    ended = _named(kind, host["apps"], {"changes": {}, "status": ""})
    problems = [problem for problem in host["problems"] if problem["place"]["app"] == kind.name]
    looked = _named(kind, verified["apps"], {"drift": []})
    return Outcome(
        planned=planned,
        done=ended["changes"],
        status=ended["status"],
        errors="\n".join(f"{problem['message']} {problem['hint']}" for problem in problems),
        drift={drift["resource"]: tuple(drift["differences"]) for drift in looked["drift"]},
        seen=seen,
    )
