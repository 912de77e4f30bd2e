"""An apply on trial: it is taken back unless the host is seen to be in touch again in time. Values and a decision.

Stands in the ledger beside the memory of the run that it is about. The engine begins and ends trials, an agent judges
them. Time is monotonic and belongs to one boot, so that setting the wall clock neither ends nor prolongs a trial.
"""

from __future__ import annotations

import enum
from typing import Any, Dict, Mapping

from reconciler.resources.values import asdict, dataclass, fields, replace


@dataclass(frozen=True)
class Trial:
    """What was applied, and until when it has to be confirmed."""

    digest: str
    """What the run wanted to bring here."""
    generation: int
    seconds: float
    """How long confirmation may take."""
    boot: str
    """The boot of the machine that `until` counts in."""
    until: float
    """Monotonic seconds."""
    rebooted: bool = False
    """The machine has booted since the apply; this was granted once."""
    ended: bool = False
    """The run came to its end. One that was cut off cannot be confirmed, only done again or taken back."""

    def renewed(self, boot: str, now: float) -> Trial:
        """The same after a reboot, with all of its time again."""
        return replace(self, boot=boot, until=now + self.seconds, rebooted=True)


class Verdict(enum.Enum):
    """What becomes of a trial while there is no contact."""

    WAIT = "wait"
    RENEW = "renew"
    """The machine has booted: contact gets all of its time again, once."""
    TAKE_BACK = "take-back"


def judge(trial: Trial, boot: str, now: float, reached: float = float("-inf")) -> Verdict:
    """What to do about a trial, where the last try for contact failed.

    A machine that boots a second time before there is contact is taken for one that the apply made boot for ever.

    Args:
        trial: as it stands in the ledger.
        boot: the boot of the machine that is up now.
        now: monotonic seconds.
        reached: when there last was contact; a run that was cut off waits to be done again from then on.
    """
    if trial.boot != boot or trial.until - now > trial.seconds:
        return Verdict.TAKE_BACK if trial.rebooted else Verdict.RENEW
    return Verdict.TAKE_BACK if now >= max(trial.until, reached + trial.seconds) else Verdict.WAIT


def trial_to_json(trial: Trial) -> Dict[str, Any]:
    """The trial as plain JSON values."""
    return asdict(trial)


def trial_from_json(document: Mapping[str, Any]) -> Trial:
    """The inverse of trial_to_json; fields that a newer version wrote are ignored."""
    names = {field.name for field in fields(Trial)}
    return Trial(**{name: value for name, value in document.items() if name in names})
