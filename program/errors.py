"""What can go wrong, by who has to act.

AutoEvolError
├── ConfigError             the user must change a config, a data file or a key (exit code 2)
│   └── AccessError         found out by calling: the provider refused the key or the model
├── WeightsError            a local model's weights are missing, broken or do not fit (exit code 2)
└── BudgetExhaustedError    the run stopped at its budget and can be resumed (exit code 3)

One row failing is data and never an exception. A model call that fails for good is DSPy's
`LMError`: a transport error leaves its row unscored, an access error ends the run.
"""

from dspy.utils.exceptions import LMError


class AutoEvolError(Exception):
    """Base class of every error this project raises on purpose."""


class ConfigError(AutoEvolError):
    """The user must change something.

    Attributes:
        where: The file and key, or the file and row, that the message is about.
        problem: What is wrong and how to mend it, in one sentence.
    """

    def __init__(self, where: str, problem: str) -> None:
        self.where = where
        self.problem = problem
        super().__init__(f"{where}: {problem}")


class AccessError(ConfigError, LMError):
    """The provider refused the key or does not know the model."""


class WeightsError(AutoEvolError):
    """A local model's weights cannot be used."""


class BudgetExhaustedError(AutoEvolError, LMError):
    """The run's budget is used up; finished calls are kept."""
