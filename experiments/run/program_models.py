"""Models for programs of one's own, with the promises of a run: ledger, retries, budget."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dspy

from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.models import ModelConfig, model_settings
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import load_libraries, open_models

logger = logging.getLogger(__name__)

_WHERE = "autoevol.ledger_models"


class ProgramModels(NamedTuple):
    """The two models of a search.

    Attributes:
        program: Runs the program: `dspy.configure(lm=…)`, or `dspy.context`.
        optimizer: Writes instructions: `optimizer_lm` of `autoevol.AutoEvol`.
    """

    program: dspy.LM
    optimizer: dspy.LM


@contextmanager
def ledger_models(
    folder: str | Path,
    program: str | Mapping[str, Any],
    optimizer: str | Mapping[str, Any] | None = None,
    *,
    calls: int | None = None,
    usd: float | None = None,
) -> Iterator[ProgramModels]:
    """Open models whose finished calls are kept: a search that was stopped goes on for free.

    Each call is made with the retries, limits and fallbacks of a run, and is paid once: the same
    search again reads it from `ledger.sqlite` in the folder.

    Args:
        folder: Of the ledger; made where it is missing.
        program: A litellm name or `local/NAME`, or the keys of a role in a config's `models`, such
            as `{"model": "openai/gpt-4o-mini", "temperature": 0.7}`.
        optimizer: The same; None: the program's model at temperature 1.
        calls: Most calls, those of earlier tries in this folder included; None: no bound.
        usd: Most US dollars; needs the models' prices; None: no bound.

    Raises:
        ConfigError: A key is wrong.
        BudgetExhaustedError: Within the block, by a call beyond `calls` or `usd`.
    """
    home = Path(folder)
    own = _keys(program)
    roles = {
        "evolver": _settings("evolver", own),
        "optimizer": _settings(
            "optimizer", {**own, "temperature": 1.0} if optimizer is None else _keys(optimizer)
        ),
    }
    home.mkdir(parents=True, exist_ok=True)
    load_libraries(roles)
    with open_models(
        roles,
        # At temperature 0 a prompt has one reply, whatever the draw: it is paid once.
        ledger=LedgerSettings(home / "ledger.sqlite", greedy_draws=False),
        budget=Budget(calls=calls, usd=usd),
        on_part=lambda done, total: None,
        say=lambda line: logger.info("%s", line),
    ) as models:
        yield ProgramModels(models.lms["evolver"], models.lms["optimizer"])


def _keys(model: str | Mapping[str, Any]) -> dict[str, Any]:
    return {"model": model} if isinstance(model, str) else dict(model)


def _settings(role: str, keys: dict[str, Any]) -> Any:
    return model_settings(role, checked(ModelConfig, keys, Path(_WHERE)))
