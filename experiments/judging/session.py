"""Models by themselves: opened for a command, asked through the ledger, stopped by Ctrl-C."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from dspy.utils.exceptions import LMError

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings, check
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.program.adapter import AdapterName
from autoevol.program.errors import StoppedError
from autoevol.program.roles import Role

HOSTED_IN_FLIGHT, LOCAL_IN_FLIGHT = 32, 4
MAX_TOKENS = 512
Result = TypeVar("Result")


def judge_named(model: str, *, max_tokens: int = MAX_TOKENS) -> ModelSettings:
    """Return the settings of a judge that the option `--judge` names.

    Raises:
        ConfigError: The model cannot be used.
    """
    settings = ModelSettings(model=model, role="judge", temperature=0.0, max_tokens=max_tokens)
    check(settings, "--judge")
    return settings


def judge_session(
    settings: ModelSettings,
    ledger: Path,
    work: Callable[[Role, int], Awaitable[Result]],
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
) -> Result:
    """Return what `work`, which takes a judge by itself, makes of it; see `model_session`."""

    async def asked(roles: Mapping[str, Role], in_flight: int) -> Result:
        return await work(roles["judge"], in_flight)

    return model_session({"judge": settings}, ledger, asked, bar=bar, say=say)


def model_session(
    models: Mapping[str, ModelSettings],
    ledger: Path,
    work: Callable[[Mapping[str, Role], int], Awaitable[Result]],
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    adapters: Mapping[str, AdapterName | None] | None = None,
) -> Result:
    """Return what `work` makes of models.

    Args:
        models: Settings by role.
        ledger: Finished calls; another try pays none of them.
        work: Takes the models by role, and how many questions may be asked side by side.
        bar: Shows the progress.
        say: Takes one line for people.
        adapters: Of the roles' predictors; nothing: plain.

    Raises:
        ConfigError: The model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user wishes to stop, or the endpoint is gone; the same command goes on.
    """
    ledger.parent.mkdir(parents=True, exist_ok=True)
    is_local = any(settings.kind == "local" for settings in models.values())
    in_flight = LOCAL_IN_FLIGHT if is_local else HOSTED_IN_FLIGHT
    with (
        stopping_on_signal(say) as stopper,
        open_models(models, ledger=ledger, budget=Budget(), on_part=bar.on_part, say=say) as fleet,
    ):
        stopper.attach(fleet.engine)
        bar.count_tokens(fleet.engine.totals)
        roles = {
            role: Role(fleet.lms[role], settings.model, (adapters or {}).get(role), watched=0.0)
            for role, settings in models.items()
        }
        try:
            return fleet.engine.run(_asked(work, roles, in_flight))
        except LMError as error:
            raise StoppedError(str(error)) from error


async def _asked(
    work: Callable[[Mapping[str, Role], int], Awaitable[Result]],
    roles: Mapping[str, Role],
    in_flight: int,
) -> Result:
    return await work(roles, in_flight)
