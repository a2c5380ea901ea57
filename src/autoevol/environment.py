"""Environment variables that AutoEvol sets, all of them here and before a second thread runs.

`getenv` and `setenv` of the C library are not safe beside each other: a thread that resolves a name
reads the environment, and the process dies if another thread changes it meanwhile. So nothing else
in this project sets or removes a variable.
"""

import atexit
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

DEFAULTS: Mapping[str, str] = {
    # Offline, litellm's fetch of a price list would block; DSPy's list of models reads this, too.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # A tool that handles people's data reports nothing to the makers of its libraries.
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # MLflow logs each migration of a new database, and each of its errors with a traceback. We
    # report its errors in a line.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    # MLflow would wait for a server that is down for minutes.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}
"""By name; a value that the user has set stays."""

MATPLOTLIB = "MPLCONFIGDIR"
"""Where a home folder cannot be written, matplotlib would set this, in the middle of a run."""


def prepare() -> None:
    """Set what is not set yet; does nothing in a process that runs threads already.

    A host program that imports AutoEvol late sets these by itself, before its first thread.
    """
    if threading.active_count() > 1:
        return
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if MATPLOTLIB not in os.environ and not all(map(_can_be_made, _matplotlib_folders())):
        os.environ[MATPLOTLIB] = _new_folder()


def _matplotlib_folders() -> Iterator[Path]:
    for variable, folder in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
        own = os.environ.get(variable)
        yield (Path(own) if own else Path("~").expanduser() / folder) / "matplotlib"


def _can_be_made(folder: Path) -> bool:
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _new_folder() -> str:
    folder = tempfile.mkdtemp(prefix="autoevol-matplotlib-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
