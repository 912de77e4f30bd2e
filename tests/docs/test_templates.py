"""The page on templates tells exactly what there is, and its examples give what it says."""

import re
from typing import Any

import pytest

from reconciler.rendering import expansion, limits
from reconciler.rendering.compiled import MAX_TEMPLATE
from reconciler.rendering.environment import GLOBALS, MAX_TOKENS
from reconciler.rendering.filters import FILTERS
from reconciler.rendering.predicates import TESTS
from tests.docs.markdown import ROOT, blocks
from tests.unit.rendering.apps import shown

PAGE = ROOT / "docs/reference/templates.md"
TEXT = PAGE.read_text()
FACTS = {"memory_bytes": 1 << 30, "os": {"family": "debian"}}
WEB = {"name": "web-1", "address": "192.0.2.1", "labels": {}, "config": {"webapp": {"port": 80}}}
VALUES: dict[str, Any] = {
    "config": {"tags": ["a", "b"], "port": 80},
    "vars": {},
    "host": {"name": "web-1", "labels": {}},
    "facts": FACTS,
    "hosts": {"app=webapp": [WEB]},
}
EXAMPLES = re.findall(r"^\| `(\{\{.*\}\})` \| `(.*)` \|$", TEXT, re.MULTILINE)


def section(title: str) -> set[str]:
    """What stands between single backticks in the lists of a section, not in its examples."""
    lines = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0].splitlines()
    return {word for line in lines if "{{" not in line for word in re.findall(r"`([a-z][a-z0-9_]*)`", line)}


def test_every_filter_stands_on_the_page_and_no_other() -> None:
    assert section("Filters") == set(FILTERS)


def test_every_test_and_function_stands_on_the_page() -> None:
    words = {name for name in TESTS if name[0].isalpha()} | set(GLOBALS)
    assert words <= section("Tests and functions")
    assert section("Tests and functions") - words == {"is", "lookup"} & section("Tests and functions")


def test_the_limits_are_those_of_the_code() -> None:
    told = [f"{limits.MAX_UNITS:,} steps", f"{limits.MAX_TEXT >> 20} MiB", f"{limits.MAX_NUMBER_BITS:,} bits"]
    told += [f"{MAX_TEMPLATE >> 20} MiB", f"{MAX_TOKENS:,} words", f"{expansion.MAX_ITEMS:,} resources"]
    flat = " ".join(TEXT.split())
    assert [words for words in told if words not in flat] == []
    assert (limits.MAX_PATTERN_SECONDS, "half a second" in flat) == (0.5, True)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize(("template", "text"), EXAMPLES)
def test_an_example_gives_what_it_says(template: str, text: str) -> None:
    assert shown(template.replace("\\|", "|"), values=VALUES) == text


@pytest.mark.parametrize("block", tuple(blocks(PAGE, "jinja")), ids=str)
def test_a_longer_example_renders(block: Any) -> None:
    assert shown(block.text, values=VALUES) == "server web-1 192.0.2.1:80\n"
