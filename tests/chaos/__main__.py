"""`make chaos`: the chaos test in full, its counts, and its verdict as exit code."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from reconciler.clock import SystemClock
from tests.chaos.audit import trail
from tests.chaos.trial import Outcome, Plan, run_trial


def main() -> int:
    """0: every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    plan = Plan()
    parser.add_argument("--runs", type=int, default=plan.runs)
    parser.add_argument("--hosts", type=int, default=plan.hosts)
    parser.add_argument("--executors", type=int, default=plan.executors)
    parser.add_argument("--seed", type=int, help="repeats the choices of an earlier test")
    parser.add_argument("--keep", action="store_true", help="keep the hosts, logs and the server's data")
    options = parser.parse_args()
    clock = SystemClock()
    seed = options.seed if options.seed is not None else int(clock.now().timestamp())
    plan = Plan(options.runs, options.hosts, options.executors, seed)
    print(f"{plan.runs} runs on {plan.hosts} hosts by {plan.executors} executors. Again: make chaos SEED={seed}")
    directory = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        began = clock.monotonic()
        outcome = run_trial(plan, directory, lambda line: print(line, flush=True))
        show(outcome, clock.monotonic() - began)
    finally:
        if options.keep:
            print(f"Kept: {directory}")
        else:
            shutil.rmtree(directory)
    return 1 if outcome.violations else 0


def show(outcome: Outcome, seconds: float) -> None:
    """The counts, then each violation with all that is known of its run."""
    for name, count in outcome.counts.items():
        print(f"{name:<28}{count:>8,}")
    print(f"{'violations':<28}{len(outcome.violations):>8,}   in {seconds:.0f} s")
    for violation in outcome.violations:
        print(f"{violation.rule}: {violation.host} {violation.id}: {violation.message}")
        for line in trail(outcome.evidence, violation):
            print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
