"""A copy of the search's trials in an Optuna storage, for optuna-dashboard.

The search never reads it. Each try of a run writes it anew, from the first trial on.
"""

import logging
from collections.abc import Sequence

import optuna
from sqlalchemy.exc import SQLAlchemyError

from autoevol.program.errors import ConfigError

logger = logging.getLogger(__name__)
_MARK = "written_by"
_AUTHOR = "autoevol"


class StudyView:
    """Writes finished trials to a study in an Optuna storage.

    Args:
        url: Of the storage, such as `sqlite:///study.db`.
        name: Of the study; an existing one that we wrote is replaced.

    Raises:
        ConfigError: The storage cannot be opened, or its study of that name is not ours.
    """

    def __init__(self, url: str, name: str) -> None:
        try:
            self._study = _new_study(optuna.storages.RDBStorage(url), name)
        # An ImportError: the driver of the URL's database is not installed.
        except (SQLAlchemyError, ImportError, ValueError) as error:
            why = str(error).split("\n")[0]
            raise ConfigError("optimizer.storage", f"cannot be opened: {why}") from error
        self._written = 0

    def on_trials(self, trials: Sequence[optuna.trial.FrozenTrial]) -> None:
        """Write the trials that are new since the last call; a failing storage ends no search."""
        try:
            self._study.add_trials(trials[self._written :])
        except SQLAlchemyError as error:
            logger.warning("optimizer.storage is behind: %s", str(error).split("\n")[0])
            return
        # Only after success, so that the next call writes the trials that a failing storage missed.
        self._written = len(trials)


def _new_study(storage: optuna.storages.RDBStorage, name: str) -> optuna.Study:
    studies = {study.study_name: study for study in optuna.get_all_study_summaries(storage)}
    if name in studies:
        # The mark keeps us from deleting a study of the user's own that has the run's name.
        if studies[name].user_attrs.get(_MARK) != _AUTHOR:
            raise ConfigError(
                "optimizer.storage", f"holds another study named {name}; choose another storage"
            )
        optuna.delete_study(study_name=name, storage=storage)
    study = optuna.create_study(study_name=name, storage=storage)
    study.set_user_attr(_MARK, _AUTHOR)
    return study
