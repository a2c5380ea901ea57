"""What the phases of a run share: what its caller gave, and what is open while it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.artifacts.folder import RunFolder
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.request import Scope
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.tracking.config import TrackingConfig
from autoevol.experiments.tracking.run import Tracker
from autoevol.program.evolution.pipeline import Pipeline
from autoevol.program.listeners import Phase
from autoevol.program.records import Outcome


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the caller of a run gives beside the plan.

    Attributes:
        say: Prints one line for the user.
        tracking: None: the run is not tracked.
        fresh: Start anew and keep the old folder beside the new one.
        scope: The whole run, the search alone, or the bulk phase alone.
        tags: Of the MLflow run, beside those of `mlflow.yaml`.
        lenders: Ledgers of other runs, whose finished calls are used and not paid again.
    """

    bar: ProgressBar
    say: Callable[[str], None]
    tracking: TrackingConfig | None
    fresh: bool = False
    scope: Scope = "all"
    tags: Mapping[str, str] = field(default_factory=dict)
    lenders: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run with its folder, its models and its tracker open.

    Attributes:
        pipeline: Models by role, F, and how rows are grouped.
        teach_abstains: Why F's rules of stage `teach` decide nothing; "": they do, or are none.
    """

    plan: Plan
    context: RunContext
    folder: RunFolder
    pipeline: Pipeline
    tracker: Tracker
    teach_abstains: str = ""

    def on_phase(self, phase: Phase) -> None:
        """Show a phase, and name it to the tracker."""
        self.context.bar.on_phase(phase)
        self.tracker.on_phase(phase)

    def on_row(self, outcome: Outcome) -> None:
        """Count a finished row, and show it to the tracker."""
        self.context.bar.on_row(outcome)
        self.tracker.on_row(outcome)
