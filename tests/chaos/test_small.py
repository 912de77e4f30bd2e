"""The chaos test in small: the same parts, some hundred runs, every kind of fault once."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.trial import Plan, run_trial


def test_no_fault_loses_a_run_or_lets_a_stale_executor_act(tmp_path: Path) -> None:
    plan = Plan(
        runs=100, hosts=8, executors=2, seed=7, lease_seconds=3.0, calm_seconds=0.7, most_faults=6, storm_until=2
    )
    outcome = run_trial(plan, tmp_path)
    assert outcome.violations == ()
    assert outcome.counts["submitted"] == 100
    assert all(outcome.counts[fault] for fault in ("kill", "stop", "cut", "half-asked", "half-told", "restart"))
