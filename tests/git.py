"""A git repository of a test's own, which nothing that this machine is configured to do touches."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_CONFIGURATION = (
    *("-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "init.defaultBranch=main"),
    *("-c", "maintenance.auto=false"),  # else every commit starts a process that finds nothing to do
)
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}


class GitTree:
    """A working tree whose files a test writes and commits."""

    root: Path

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, message: str = "change") -> str:
        """Commit all that changed; the commit's hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """What `git WORDS` prints."""
        command = ["git", *_CONFIGURATION, *words]
        environment = {**os.environ, **_ENVIRONMENT}
        ran = subprocess.run(command, cwd=self.root, env=environment, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()
