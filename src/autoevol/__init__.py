"""AutoEvol: evolve instruction data with a method that is optimised on the way.

The Python face. DSPy takes a second to load, so a name is imported when it is first used.

- `AutoEvol`: the optimiser for any DSPy program and any metric; `compile` returns a better copy.
- `AutoEvolInstruct`: the optimiser; `compile` returns an `Evolver` with the best method it found.
- `AutoEvolPromptOptimizer`: the same optimiser for `mlflow.genai.optimize_prompts`.
- `Evolver`: the DSPy program that rewrites an instruction and answers it.
- `FailureMetric`: F; which rules a rewrite or an answer breaks.
- `Method`: an evolving method; the state of one DSPy predictor.
- `evolve`, `aevolve`: a whole run on rows in memory; they return the rows and their account.
- `ledger_models`: models for a program of one's own, whose finished calls are kept and paid once.
- `mlflow_listeners`: log a search of `AutoEvol` in MLflow's active run.
- `load_method`: a method that a run left in MLflow's Prompt Registry or in a file.
- `failure_metric`: builds a `FailureMetric` of rule sets; DSPy can call it as a metric.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autoevol.experiments.run.in_python import aevolve, evolve
    from autoevol.experiments.run.program_models import ledger_models
    from autoevol.experiments.tracking.prompts.loading import load_method
    from autoevol.experiments.tracking.prompts.optimizer import AutoEvolPromptOptimizer
    from autoevol.experiments.tracking.prompts.progress import mlflow_listeners
    from autoevol.program.evolution.evolver import Evolver
    from autoevol.program.evolution.failure import FailureMetric, failure_metric
    from autoevol.program.search.optimizer import AutoEvolInstruct
    from autoevol.program.search.programs.compiler import AutoEvol
    from autoevol.signatures import Method

    __version__: str

__all__ = [
    "AutoEvol",
    "AutoEvolInstruct",
    "AutoEvolPromptOptimizer",
    "Evolver",
    "FailureMetric",
    "Method",
    "__version__",
    "aevolve",
    "evolve",
    "failure_metric",
    "ledger_models",
    "load_method",
    "mlflow_listeners",
]

# In a checkout the rooms are links; where a file system has none, git writes small files instead.
if Path(__file__).with_name("program").is_file():
    raise ImportError(
        "src/autoevol/program is a file and should be a link: clone again with "
        "`git clone -c core.symlinks=true`, or install the wheel"
    )

# Before any import that starts a thread or reads the variables that this sets.
import_module("autoevol.environment").prepare()

_HOMES = {
    "AutoEvol": "autoevol.program.search.programs.compiler",
    "AutoEvolInstruct": "autoevol.program.search.optimizer",
    "AutoEvolPromptOptimizer": "autoevol.experiments.tracking.prompts.optimizer",
    "Evolver": "autoevol.program.evolution.evolver",
    "FailureMetric": "autoevol.program.evolution.failure",
    "Method": "autoevol.signatures",
    "aevolve": "autoevol.experiments.run.in_python",
    "evolve": "autoevol.experiments.run.in_python",
    "failure_metric": "autoevol.program.evolution.failure",
    "ledger_models": "autoevol.experiments.run.program_models",
    "load_method": "autoevol.experiments.tracking.prompts.loading",
    "mlflow_listeners": "autoevol.experiments.tracking.prompts.progress",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module."""
    if name == "__version__":
        from importlib.metadata import version

        return version("autoevol")
    if name not in _HOMES:
        raise AttributeError(f"module 'autoevol' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
