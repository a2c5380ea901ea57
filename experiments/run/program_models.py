"""Models for programs of one's own, with the promises of a run: ledger, retries, budget."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dspy

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.experiment import BudgetConfig
from autoevol.experiments.config.models import ModelsConfig
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.run.planning.models import check_prices, checked_settings
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.program.errors import ConfigError

logger = logging.getLogger(__name__)

_WHERE = "autoevol.ledger_models"
_ROLES = {"evolver": "program", "optimizer": "optimizer"}
"""The arguments by the role that serves them."""


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
    """Open models whose finished calls are kept: the same search again reads them.

    Each call is made with the retries, limits and fallbacks of a run, and is paid once. The ledger
    is `ledger.sqlite` in the folder. The first Ctrl-C lets calls in flight finish.

    Args:
        folder: Of the ledger; made where it is missing.
        program: A litellm name or `local/NAME`, or the keys of a role in a config's `models`, such
            as `{"model": "openai/gpt-4o-mini", "temperature": 0.7}`. Without one the temperature is
            0.
        optimizer: The same; without keys of its own the program's model with the paper's sampling
            (temperature 0.6, top-p 0.95) and the default `max_tokens`.
        calls: Most calls, those of earlier tries in this folder included; None: no bound.
        usd: Most US dollars, those of earlier tries included; None: no bound.

    Raises:
        ConfigError: A key is wrong, a model cannot be reached, a price is unknown where `usd` needs
            it, or another process is at work in the folder.
        StoppedError: Within the block: after Ctrl-C, or by a call beyond `calls` or `usd`.
    """
    # All is checked before anything is written.
    roles = _settings(program, optimizer, is_capped=usd is not None)
    budget = checked(BudgetConfig, {"calls": calls, "usd": usd}, Path(_WHERE))
    with (
        alone_in(Path(folder)),
        stopping_on_signal(_say) as stopper,
        open_models(
            roles,
            # At temperature 0 a prompt has one reply, whatever the draw: it is paid once.
            ledger=LedgerSettings(Path(folder) / "ledger.sqlite", greedy_draws=False),
            budget=budget,
            on_part=lambda done, total: None,
            say=_say,
        ) as models,
    ):
        stopper.attach(models.engine)
        yield ProgramModels(models.lms["evolver"], models.lms["optimizer"])


def _settings(
    program: str | Mapping[str, Any], optimizer: str | Mapping[str, Any] | None, *, is_capped: bool
) -> dict[str, ModelSettings]:
    tree = {"evolver": _keys(program), "optimizer": {} if optimizer is None else _keys(optimizer)}
    models = checked(ModelsConfig, tree, Path(_WHERE))
    roles = {}
    for role, name in _ROLES.items():
        model = getattr(models, role)
        if model.adapter is not None:
            problem = "is DSPy's own for a program; use dspy.configure(adapter=...)"
            raise ConfigError(f"{_WHERE}: {name}.adapter", problem)
        roles[role] = checked_settings(role, model, f"{_WHERE}: {name}")
        if is_capped:
            check_prices(roles[role], f"{_WHERE}: usd", f"set the price of {name}, or use calls")
    return roles


def _keys(model: str | Mapping[str, Any]) -> Any:
    return dict(model) if isinstance(model, Mapping) else model


def _say(line: str) -> None:
    logger.warning("%s", line)
