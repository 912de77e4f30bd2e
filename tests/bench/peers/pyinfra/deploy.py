"""What `tests.bench.hosts.same_work` asks of every peer: a directory and 20 templated files."""

import os
from pathlib import Path

from pyinfra.operations import files

files.directory(path="/etc/bench-pyinfra", user="root", group="root", mode="0755")
for template in sorted(Path(os.environ["BENCH_TEMPLATES"]).glob("*.j2")):
    files.template(
        src=str(template), dest=f"/etc/bench-pyinfra/{template.stem}", user="root", group="root", mode="0644"
    )
