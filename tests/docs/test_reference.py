"""The reference is complete: what the code knows, the pages tell."""

import re
from pathlib import Path

import pytest

from tests.docs.codes import codes
from tests.docs.generated import PAGES
from tests.docs.markdown import ROOT, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_generated_page_says_what_the_code_says(page: Path) -> None:
    assert page.read_text() == PAGES[page](), "run `make docs`"


def test_every_error_code_has_one_entry_and_every_entry_a_code() -> None:
    entries = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/reference/errors.md").read_text(), re.MULTILINE)
    assert sorted(entries) == sorted(codes(ROOT / "reconciler"))
