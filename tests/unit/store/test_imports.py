from __future__ import annotations

import subprocess
import sys


def test_the_package_is_imported_without_redis() -> None:
    program = "import reconciler.store, sys; print('redis' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"
