"""Try the rules on series written in a file, and show what fires when; exit 1 where that is not what the file expects.

reconcile alerts test alerts.test.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path

from reconciler.cli.console import Console
from reconciler.cli.exits import Exit
from reconciler.cli.options import add_output
from reconciler.errors import InvalidInput, Place


def arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `alerts test`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="tests of rules, in YAML")
    add_output(parser, "json")


def run(arguments: argparse.Namespace, console: Console) -> Exit:
    """Read, try and print."""
    from reconciler.alerting.rule_tests import run_test
    from reconciler.cli.sessions import Access, session_of
    from reconciler.manifests.rule_tests import read_rule_tests
    from reconciler.reports.rule_tests import rule_tests_json, rule_tests_text

    with session_of(arguments, console, Access.NONE) as session:
        manifests = session.manifests(session.tree())
    rules = tuple(manifests.alerts.values())
    own = {metric.name for app in manifests.apps.values() for metric in app.metrics}
    tests = [test for file in arguments.files for test in read_rule_tests(str(file), _content(file), rules, own)]
    results = [run_test(test, rules) for test in tests]
    text = rule_tests_json(results) if console.output == "json" else rule_tests_text(results, color=console.color)
    console.print(text)
    return Exit.CANNOT if any(result.wrong for result in results) else Exit.DONE


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput.of("unreadable-file", str(error.strerror), place=Place(str(file))) from None
