"""Optuna's study in a store of its own, to look at with optuna-dashboard.

It is a view: the search never reads it. Each try of a run writes it anew, from the first trial on.
"""

from collections.abc import Sequence

import optuna
from sqlalchemy.exc import SQLAlchemyError

from program.errors import ConfigError


class StudyView:
    """Writes finished trials to a study in an Optuna storage.

    Args:
        url: Of the storage, such as `sqlite:///study.db`.
        name: Of the study; one that is there already is replaced.

    Raises:
        ConfigError: The storage cannot be opened.
    """

    def __init__(self, url: str, name: str) -> None:
        try:
            storage = optuna.storages.RDBStorage(url)
            if name in {each.study_name for each in optuna.get_all_study_summaries(storage)}:
                optuna.delete_study(study_name=name, storage=storage)
            self._study = optuna.create_study(study_name=name, storage=storage)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            why = str(error).split("\n")[0]
            raise ConfigError("optimizer.storage", f"{url} cannot be opened: {why}") from error
        self._written = 0

    def on_trials(self, trials: Sequence[optuna.trial.FrozenTrial]) -> None:
        """Write the trials that are new since the last call."""
        self._study.add_trials(trials[self._written :])
        self._written = len(trials)
