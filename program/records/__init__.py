"""The frozen records that travel through a run and out to its listeners.

- `rows`: a row, what became of it in a round, and the sums of both.
- `search`: a method on some rows, the steps of a search, and how it ends.
"""

from autoevol.program.records.rows import (
    MethodTally,
    Outcome,
    RoundCount,
    Row,
    Split,
    Status,
)
from autoevol.program.records.search import (
    Candidate,
    Evaluation,
    FinalChoice,
    Finalist,
    Headroom,
    Preference,
    StepRecord,
    Trajectory,
    proposal_name,
)

__all__ = [
    "Candidate",
    "Evaluation",
    "FinalChoice",
    "Finalist",
    "Headroom",
    "MethodTally",
    "Outcome",
    "Preference",
    "RoundCount",
    "Row",
    "Split",
    "Status",
    "StepRecord",
    "Trajectory",
    "proposal_name",
]
