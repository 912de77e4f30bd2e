"""The wheels of the libraries, for one kind of host: fetched by pip from this machine's index, kept in the cache.

Called by `enroll` and `upgrade`. What the cache holds is checked again on the host, against the lock's hashes.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reconciler.enrolment.own_wheel import Wheel
from reconciler.enrolment.probe import Platform
from reconciler.errors import Unavailable

_FETCH_SECONDS = 600
_OF_ANY_HOST = "any"


class Wheelhouse:
    """A directory of the cache."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache / "wheels"

    def wheels(self, wanted: str, platform: Platform | None) -> Sequence[Wheel]:
        """The wheels of a requirements file, fetched where they are lacking.

        Args:
            wanted: lines as pip reads them, with hashes.
            platform: the host's kind; None: pure Python for any host.

        Raises:
            Unavailable: `no-wheels`, there are none for this platform, or no index can be reached.
        """
        slug = platform.slug if platform else _OF_ANY_HOST
        place = self._cache / f"{slug}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
        if not place.is_dir():
            self._fetch(wanted, platform, place)
            self._forget_others(slug, place)
        return [Wheel(path.name, path.read_bytes()) for path in sorted(place.glob("*.whl"))]

    def _fetch(self, wanted: str, platform: Platform | None, place: Path) -> None:
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=self._cache, ignore_cleanup_errors=True) as name:
            fetching = Path(name) / "wheels"
            lock = Path(name) / "requirements.txt"
            lock.write_text(wanted)
            pip = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
            what = ["--require-hashes", "--only-binary=:all:", f"--requirement={lock}", f"--dest={fetching}"]
            ended = subprocess.run(
                [*pip, *what, *_fitting(platform)],
                check=False,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=_FETCH_SECONDS,
            )
            if ended.returncode:
                raise _not_fetched(platform, ended.stderr)
            if not place.is_dir():  # someone else may have been quicker
                fetching.rename(place)

    def _forget_others(self, slug: str, place: Path) -> None:
        for other in self._cache.glob(f"{slug}-*"):
            if other != place:
                shutil.rmtree(other, ignore_errors=True)


def _fitting(platform: Platform | None) -> Sequence[str]:
    if platform is None:
        return ()
    tags = [f"--platform={tag}" for tag in platform.tags]
    return ("--implementation=cp", f"--python-version={platform.minor}", *tags)


def _not_fetched(platform: Platform | None, said: str) -> Unavailable:
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR:")]
    why = "; ".join(errors[-2:]) or said.strip()[-300:]
    hint = "pip fetches them: PIP_INDEX_URL or PIP_FIND_LINKS say where from. Or let the host do it: --online"
    return Unavailable.of("no-wheels", f"cannot fetch the wheels for {platform or 'any host'}: {why}", hint=hint)
