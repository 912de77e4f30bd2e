"""The reference is complete: what the code knows, the pages tell."""

import fnmatch
import re
from pathlib import Path

import pytest

from reconciler.store.keys import PERMANENT, Keys
from reconciler.store.layout import LAYOUT
from tests.docs.codes import codes
from tests.docs.generated import PAGES
from tests.docs.markdown import ROOT, name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_generated_page_says_what_the_code_says(page: Path) -> None:
    assert page.read_text() == PAGES[page](), "run `make docs`"


def test_every_key_that_lives_on_has_an_entry_and_every_other_entry_says_until_when() -> None:
    lasting = set(PERMANENT)
    shapes = [kind.shape for kind in LAYOUT]
    assert len(shapes) == len(set(shapes)), "an entry stands there twice"
    assert lasting - set(shapes) == set(), "add these to store/layout.py"
    assert [kind.shape for kind in LAYOUT if not kind.lives and kind.shape not in lasting] == []
    made = {Keys().shape(re.sub("[A-Z0-9]+", "x", kind.key)) for kind in LAYOUT}
    assert made == set(shapes), "keys and shapes do not agree"


def test_every_error_code_has_an_entry_and_every_entry_a_code() -> None:
    entries = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/reference/errors.md").read_text(), re.MULTILINE)
    used = codes(ROOT / "reconciler")
    assert sorted(entries) == sorted(set(entries)), "an entry stands there twice"
    assert [code for code in sorted(used) if not fnmatch.filter(entries, code)] == [], "these have no entry"
    unused = [entry for entry in entries if not any(fnmatch.fnmatch(entry, code) for code in used)]
    assert unused == [], "nobody uses these"
