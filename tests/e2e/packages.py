"""A signed package repository with two versions of one small package, made here for hosts to install from."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

NAME = "e2e-tool"
VERSIONS = ("1.0", "2.0")


def publish(directory: Path) -> str:
    """Make the repository in a new directory; the armoured public key that signs it.

    Args:
        directory: new; at its side, and gone afterwards, stands what it is made with.
    """
    directory.mkdir(parents=True)
    for version in VERSIONS:
        tree = directory / f"tree-{version}"
        _write(
            tree / "DEBIAN/control",
            f"Package: {NAME}\nVersion: {version}\nArchitecture: all\nMaintainer: Tester <tester@example.org>\n"
            "Description: nothing but a version\n",
        )
        _write(tree / f"usr/share/{NAME}/version", f"{version}\n")
        _run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(directory))
        _run("rm", "-r", str(tree))
    packages = _run("dpkg-scanpackages", "--multiversion", ".", cwd=directory)
    _write(directory / "Packages", packages)
    digest = hashlib.sha256(packages.encode()).hexdigest()
    _write(directory / "Release", f"Origin: e2e\nSHA256:\n {digest} {len(packages.encode())} Packages\n")
    return _sign(directory / "Release", directory / "InRelease")


def _sign(text: Path, signed: Path) -> str:
    home = text.parent / "gnupg"
    home.mkdir(mode=0o700)
    gpg = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--quiet",
        "--yes",
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
    ]
    _run(*gpg, "--quick-gen-key", "e2e <e2e@example.org>", "ed25519", "sign", "never")
    _run(*gpg, "--clearsign", "--output", str(signed), str(text))
    key = _run(*gpg, "--armor", "--export")
    _run("gpgconf", "--homedir", str(home), "--kill", "all")
    _run("rm", "-r", str(home))
    return key


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
