"""Files that existed before: what the page on taking them over says about their backups is what happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT, blocks
from tests.integration.cli.conftest import Repository

PAGE = ROOT / "docs/how-to/adopt-existing-files.md"


def test_the_backup_of_a_file_that_was_taken_over_is_found_as_the_page_says(small: Repository) -> None:
    small.on_host("/etc").mkdir(parents=True)
    small.on_host("/etc/hello").write_text("made by hand\n")
    small.replace("manifests/apps/hello.yaml", "  config:", "  adopt: replace\n  config:")
    assert small("apply", "--yes").code == 0

    (block,) = (block for block in blocks(PAGE, "sh") if "ledger.json" in block.text)
    program = block.text.partition("<<'END'\n")[2].removesuffix("END\n")
    program = program.replace("/var/lib/reconciler", str(small.on_host("/var/lib/reconciler")))
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    backup, path = told.split()
    assert path == "/etc/hello"
    assert Path(backup).read_text() == "made by hand\n"
