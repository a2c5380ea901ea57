"""The command line in processes of its own, forked from one that has imported everything.

A start takes three seconds of imports; a fork of a process that has them takes none, and kill -9
ends it like any other.
"""

import multiprocessing
import os
import sys
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
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(list(_LOADED))


def start(folder: Path, *arguments: str) -> BaseProcess:
    """Run `autoevol ARGUMENTS` in a folder; its output is appended to `out` and `err` there."""
    process = _context.Process(target=_run, args=(folder, arguments), daemon=True)
    process.start()
    return process


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
