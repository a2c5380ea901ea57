"""The command line in processes of its own, forked from one that has imported everything.

A start takes three seconds of imports; a fork of a process that has them takes none, and kill -9
ends it like any other.
"""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

_LOADED = (
    "autoevol.experiments.cli.run",
    "autoevol.experiments.run.runner",
    "autoevol.experiments.report.run_page",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "optuna",
    "tests.support.warm",
)
POLL_S = 0.005
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_LOADED))


# A start looks after all other processes, and who reads an exit code first takes it from others.
_lock = threading.Lock()


class Started:
    """A command that has been started; safe to use from several threads."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative after a signal; None: it runs."""
        with _lock:
            return self._process.exitcode

    def kill(self) -> None:
        """End it as kill -9 does."""
        with _lock:
            self._process.kill()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, at most so long; return its exit code."""
        until = time.monotonic() + seconds
        while self.exit_code is None and time.monotonic() < until:
            time.sleep(POLL_S)
        return self.exit_code


def start(folder: Path, *arguments: str) -> Started:
    """Run `autoevol ARGUMENTS` in a folder; its output is appended to `out` and `err` there."""
    process = _context.Process(target=_run, args=(folder, arguments), daemon=True)
    with _lock:
        process.start()
    return Started(process)


def _run(folder: Path, arguments: Sequence[str]) -> None:
    from autoevol.experiments.cli import app
    from autoevol.experiments.tracking import config

    if not hasattr(config, "_ROOT"):
        raise RuntimeError("the settings file of a checkout is looked up elsewhere")
    # As where AutoEvol is installed: no checkout's mlflow.yaml, so nothing is tracked.
    config._ROOT = folder
    os.chdir(folder)
    for name, stream in (("out", sys.stdout), ("err", sys.stderr)):
        file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(file, stream.fileno())
    # A traceback is a finding like any other exit code.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    sys.argv = ["autoevol", *arguments]
    app.main()
