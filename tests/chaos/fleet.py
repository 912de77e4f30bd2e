"""The fleet of the chaos test: sandbox hosts, and jobs that write down what they do where Redis cannot reach.

Every job tells, in a file of its host, when it begins and ends to act: the process that acts, the executor that started
it, and what the host's lock and the host's record of the run say at that moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FLEET = "chaos"
ACTS = "acts"
SANDBOXES = ".reconciler/sandbox"
KILLS_ITS_EXECUTOR = "poison"
ENDLESS = {"long": 0.004, "tidy": 0.001}
"""Jobs that only a cancellation ends, and their share of the runs."""

_TELL = """
state=$RECONCILER_ROOT/var/lib/reconciler
tell() {
  read -r lock <"$state/LOCK"
  read -r record <"$state/runs/$RECONCILER_RUN/record.json"
  printf '{"at":"%s","act":%s,"holder":"%s","exclusive":%s,"lock":%s,"record":%s}\\n' \
    "$1" "$$" "$RECONCILER_HOLDER" EXCLUSIVE "$lock" "$record" >>"$RECONCILER_ROOT/$2"
}
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the fleet and what it promises."""

    name: str
    act: str = ""
    """What it does between its two lines, in the language of the shell."""
    share: int = 0
    """How often it is chosen, beside the others."""
    changes: bool = False
    """It changes a resource, so it needs the host for itself."""
    lock: str = ""
    retries: int = 0
    on_lost: str = "fail"
    timeout: str = "60s"

    @property
    def acts_at_most(self) -> int:
        """How often it may act, whatever happens."""
        return 1 + self.retries + (2 if self.on_lost == "retry" else 0)

    def manifest(self) -> str:
        """Its YAML."""
        return "\n".join(
            [
                "apiVersion: reconciler/v1",
                "kind: Job",
                f"metadata: {{name: {self.name}}}",
                "spec:",
                f"  timeout: {self.timeout}",
                f"  retries: {self.retries}",
                f"  onLost: {self.on_lost}",
                *([f"  lock: {self.lock}"] if self.lock else []),
                "  steps:",
                *(["    - directory: {path: /srv/data}"] if self.changes else []),
                f"    - command: {{argv: [sh, -c, {json.dumps(self._script())}]}}",
                "",
            ]
        )

    def _script(self) -> str:
        """Its act between two lines in each file that is to know of it."""
        lock = "lock" if self.changes else "runs/$RECONCILER_RUN/lock"
        tell = _TELL.strip().replace("LOCK", lock).replace("EXCLUSIVE", json.dumps(self.changes))
        files = (ACTS, f"../{self.lock}") if self.lock else (ACTS,)
        begin, end = ([f"tell {at} {file}" for file in files] for at in ("begin", "end"))
        return "\n".join([tell, *begin, self.act or ":", *reversed(end)])


LOCKS = tuple(f"lock-{number}" for number in range(8))
"""Enough of them that the lines before them are not what the whole test waits for."""
_TIDIES_UP = f"""
trap 'sleep 0.5; tell end ../{LOCKS[0]}; tell end {ACTS}; exit 1' TERM
sleep 1000 & wait
""".strip()
"""It never ends by itself, and takes a while when it is asked to."""
JOBS = (
    Job("note", share=100),
    Job("slow", "sleep 1", share=16),
    Job("change", share=28, changes=True),
    Job("slow-change", "sleep 0.5", share=8, changes=True),
    Job("again", "sleep 0.5", share=16, on_lost="retry"),
    Job("change-again", "sleep 0.3", share=8, changes=True, on_lost="retry"),
    Job("flaky", "case $record in *'\"tries\":1,'*) exit 1; esac", share=12, retries=2),
    Job("broken", "exit 3", share=4),
    Job("endless", "sleep 1000", share=2, timeout="1s"),
    *(Job(f"with-{lock}", "sleep 0.1", share=1, lock=lock, changes=lock == LOCKS[1]) for lock in LOCKS),
    Job("long", "sleep 1000", timeout="10m"),
    Job("tidy", _TIDIES_UP, timeout="10m", lock=LOCKS[0]),
    Job(KILLS_ITS_EXECUTOR, "kill -9 $PPID; sleep 1000", on_lost="retry"),
)
BY_NAME = {job.name: job for job in JOBS}


def write_fleet(root: Path, hosts: int) -> tuple[str, ...]:
    """Write the repository; the names of its hosts."""
    names = tuple(f"host-{number:03}" for number in range(hosts))
    manifests = root / "manifests"
    manifests.mkdir(parents=True)
    (root / SANDBOXES).mkdir(parents=True)
    (root / ".reconciler").chmod(0o700)
    fleet = f"apiVersion: reconciler/v1\nkind: Fleet\nmetadata: {{name: {FLEET}}}\nspec: {{}}\n"
    (manifests / "fleet.yaml").write_text(fleet)
    (manifests / "hosts.yaml").write_text("---\n".join(map(_host, names)))
    (manifests / "jobs.yaml").write_text("---\n".join(job.manifest() for job in JOBS))
    return names


def _host(name: str) -> str:
    return "\n".join(
        [
            "apiVersion: reconciler/v1",
            "kind: Host",
            f"metadata: {{name: {name}}}",
            "spec:",
            "  address: 127.0.0.1",
            "  connection: {type: local}",
            f"  sandboxRoot: {SANDBOXES}/{name}",
            "",
        ]
    )
