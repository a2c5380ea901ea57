"""`autoevol run`, `optimize` and `evolve`: one config, checked and run."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from experiments.terminal import console
from program.errors import ConfigError

if TYPE_CHECKING:
    from experiments.config import ExperimentConfig
    from experiments.estimate import Estimate
    from experiments.plan import Plan
    from experiments.runner import Scope


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asked for."""

    scope: "Scope"
    file: Path
    overrides: Sequence[str] = ()
    out: Path | None = None
    limit: int | None = None
    fresh: bool = False
    dry_run: bool = False
    yes: bool = False


def checked_plan(config: "ExperimentConfig", request: Request) -> "Plan":
    """Return what a run will use; everything that needs no model is checked, nothing is written.

    Raises:
        ConfigError: Names the file and the key.
    """
    from experiments.plan import make_plan
    from experiments.run_folder import check_folder

    if request.scope == "search" and not config.is_search:
        raise ConfigError(f"{request.file}: optimizer.name", "is none, so there is no search")
    plan = make_plan(config, str(request.file))
    check_folder(config, plan.content, fresh=request.fresh)
    return plan


def finished(plan: "Plan", request: Request) -> dict[str, Any] | None:
    """Return the summary of a run of which nothing is left to do."""
    from experiments.run_folder import find_summary

    return None if request.fresh else find_summary(plan.config, plan.content)


def perform(
    plan: "Plan", request: Request, tags: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run a plan and return its summary.

    Args:
        plan: Of the run.
        request: Says whether to start anew, and which phases are wanted.
        tags: Of its MLflow run.
    """
    from experiments.progress import progress_bar
    from experiments.runner import Surroundings, run
    from experiments.tracking_config import load_tracking

    quieten()
    tracking = load_tracking()
    with progress_bar(console) as bar:
        around = Surroundings(bar, console.log, tracking, request.fresh, request.scope, tags or {})
        return run(plan, around)


def confirm(plans: "Sequence[Plan]", show: Callable[[], None], *, yes: bool) -> None:
    """Show what is planned and ask before money is spent, where somebody is there to be asked."""
    from experiments.estimate import estimate

    lines = [line for plan in plans for line in estimate(plan)]
    if any(map(_is_paid, lines)) and not yes and sys.stdin.isatty():
        show()
        typer.confirm("Go on?", abort=True)


def _is_paid(line: "Estimate") -> bool:
    return line.cost_usd is None or line.cost_usd > 0


def quieten() -> None:
    """Silence the libraries' chatter; what matters is reported by the run itself."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for name in ("dspy", "LiteLLM", "httpx", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
