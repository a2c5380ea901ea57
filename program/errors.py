"""Errors of this project, split by who must act.

AutoEvolError
├── ConfigError             the user must change a config, a data file or a key (exit code 2)
│   └── AccessError         the provider refused the key or the model
├── WeightsError            a local model's weights are missing, broken or do not fit (exit code 2)
├── StorageError            the run's folder cannot be written: a full or broken disk (exit code 2)
└── StoppedError            the run stopped early; the same command resumes it (exit code 3)
    ├── BudgetExhaustedError    the budget is used up
    └── TargetMissedError       the seeds gave fewer rows than were asked for

One row failing is data and never an exception. A model call that fails for good is DSPy's
`LMError`: a transport error leaves its row unscored, any other ends the run.
"""

from collections.abc import Sequence


class AutoEvolError(Exception):
    """Base class of every error this project raises on purpose."""


class ConfigError(AutoEvolError):
    """The user must change something.

    Attributes:
        where: The file and key, or the file and row, that the message is about.
        problem: What is wrong and what to do about it, in one sentence.
        details: Further lines, such as a group of rows each.
    """

    def __init__(self, where: str, problem: str, details: Sequence[str] = ()) -> None:
        self.where = where
        self.problem = problem
        self.details = tuple(details)
        super().__init__(f"{where}: {problem}")
        for line in self.details:
            self.add_note(line)


class AccessError(ConfigError):
    """The provider refused the key or does not know the model."""


class WeightsError(AutoEvolError):
    """A local model's weights cannot be used."""


class StorageError(AutoEvolError):
    """A file of the run cannot be written; what was written before is kept."""


class StoppedError(AutoEvolError):
    """The run stopped early: the user interrupted it, or an endpoint was unavailable.

    Attributes:
        way_on: What the user can do next.
    """

    way_on = "the same command resumes"


class TargetMissedError(StoppedError):
    """All seeds are evolved, and fewer rows are kept than were asked for."""

    way_on = "add seeds, rounds or children, or raise evolve.max_candidates"


class BudgetExhaustedError(StoppedError):
    """The run's budget is used up; finished calls are kept."""

    way_on = "the same command with a larger budget resumes"
