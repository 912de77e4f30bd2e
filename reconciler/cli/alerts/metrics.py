"""List the metrics that rules can speak of. Apps add their own by `metrics`."""

from __future__ import annotations

import argparse

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `alerts metrics`."""
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:  # noqa: ARG001 - as every command
    """Print them."""
    from reconciler.model.metrics import METRICS
    from reconciler.reports.alerts import metrics_json, metrics_text

    metrics = list(METRICS.values())
    console.print(metrics_json(metrics) if console.output == "json" else metrics_text(metrics, color=console.color))
    return Exit.DONE
