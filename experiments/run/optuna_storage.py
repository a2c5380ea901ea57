"""Optuna's study in a store of its own, to look at with optuna-dashboard.

It is a view: the search never reads it. Each try of a run writes it anew, from the first trial on.
"""

import logging
from collections.abc import Sequence

import optuna
from sqlalchemy.exc import SQLAlchemyError

from autoevol.program.errors import ConfigError

logger = logging.getLogger(__name__)
_OURS = "written_by"
_NAME = "autoevol"


class StudyView:
    """Writes finished trials to a study in an Optuna storage.

    Args:
        url: Of the storage, such as `sqlite:///study.db`.
        name: Of the study; one of ours that is there already is replaced.

    Raises:
        ConfigError: The storage cannot be opened, or holds somebody else's study of that name.
    """

    def __init__(self, url: str, name: str) -> None:
        try:
            self._study = _opened(optuna.storages.RDBStorage(url), name)
        except (SQLAlchemyError, ImportError, ValueError) as error:
            why = str(error).split("\n")[0]
            raise ConfigError("optimizer.storage", f"cannot be opened: {why}") from error
        self._written = 0

    def on_trials(self, trials: Sequence[optuna.trial.FrozenTrial]) -> None:
        """Write the trials that are new since the last call; a view that fails ends no search."""
        try:
            self._study.add_trials(trials[self._written :])
        except SQLAlchemyError as error:
            logger.warning("the view of the study is behind: %s", str(error).split("\n")[0])
            return
        self._written = len(trials)


def _opened(storage: optuna.storages.RDBStorage, name: str) -> optuna.Study:
    known = {each.study_name: each for each in optuna.get_all_study_summaries(storage)}
    if name in known:
        if known[name].user_attrs.get(_OURS) != _NAME:
            raise ConfigError(
                "optimizer.storage", f"holds another study named {name}; choose another storage"
            )
        optuna.delete_study(study_name=name, storage=storage)
    study = optuna.create_study(study_name=name, storage=storage)
    study.set_user_attr(_OURS, _NAME)
    return study
