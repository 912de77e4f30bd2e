"""Real git repositories in a temporary folder."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


class Repository:
    """A repository with a working tree, changed by the real git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        argv = ["git", "-c", "protocol.file.allow=always", "-c", "maintenance.auto=false", *arguments]
        run = subprocess.run(
            argv, cwd=self.root, env=os.environ | IDENTITY, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for path, content in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content.encode() if isinstance(content, str) else content)

    def link(self, path: str, target: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).symlink_to(target)

    def disguise(self, folder: str, trap: str) -> None:
        """Commit files that make a folder look like a bare repository, whose configuration has git run a command."""
        there = [f"--git-dir={self.root / folder}", f"--work-tree={self.root / folder}"]
        self.git("init", "--quiet", "--bare", folder)
        self.git(*there, "add", "manifests")
        for name, value in {"core.bare": "false", "core.worktree": ".", "filter.trap.clean": trap}.items():
            self.git(*there, "config", name, value)
        self.write({f"{folder}/refs/kept": "", f"{folder}/.gitattributes": "* filter=trap\n"})
        self.commit()
        for path in (self.root / folder / "manifests").rglob("*.yaml"):
            os.utime(path, ns=(1, 1))

    def commit(self, message: str = "change", files: Mapping[str, str | bytes] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _no_settings_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, IDENTITY[name])


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "fleet")
