"""Open models for one command, with ledger and Ctrl-C."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dspy.utils.exceptions import LMError

from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.ledger import LedgerSettings
from autoevol.experiments.models.runtime import open_models
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.terminal.signals import stopping_on_signal
from autoevol.program.adapter import AdapterName
from autoevol.program.errors import StoppedError
from autoevol.program.roles import Role
from autoevol.program.witnesses.solutions import SAMPLE_TEMPERATURE

# Four slots gave the 1.5B model the most tokens a second on 2 CPU cores.
HOSTED_IN_FLIGHT, LOCAL_IN_FLIGHT = 32, 4
"""Questions that are asked side by side, by where the model runs."""

MAX_TOKENS = 512
TIMEOUT_S = 120.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What few sessions need.

    Attributes:
        adapters: By role, for the predictors; a role without one has the plain one.
        budget: Caps of all calls in the ledger.
    """

    adapters: Mapping[str, AdapterName | None] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)


def judge_named(model: str, *, max_tokens: int = MAX_TOKENS) -> ModelSettings:
    """Return the settings of the judge that the option `--judge` names.

    Raises:
        ConfigError: The model cannot be used.
    """
    settings = ModelSettings(
        model=model, role="judge", temperature=0.0, max_tokens=max_tokens, timeout=TIMEOUT_S
    )
    check(settings, "--judge")
    return settings


def witness_settings(role: str, model: str, where: str = "") -> ModelSettings:
    """Return the settings of a witness.

    Args:
        role: "judge" or "solver".
        model: A litellm name, or `local/NAME`.
        where: What named the model, for messages; "": the option `--judge` or `--solver`.

    Raises:
        ConfigError: The model cannot be used.
    """
    temperature = SAMPLE_TEMPERATURE if role == "solver" else 0.0
    settings = ModelSettings(
        model=model, role=role, temperature=temperature, max_tokens=MAX_TOKENS, timeout=TIMEOUT_S
    )
    check(settings, where or f"--{role}")
    return settings


def judge_session(
    settings: ModelSettings,
    ledger: LedgerSettings,
    work: Callable[[Role, int], Coroutine[Any, Any, Result]],
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
) -> Result:
    """Open a judge alone and return the result of `work`; see `model_session`."""

    def work_with_judge(roles: Mapping[str, Role], in_flight: int) -> Coroutine[Any, Any, Result]:
        return work(roles["judge"], in_flight)

    return model_session({"judge": settings}, ledger, work_with_judge, bar=bar, say=say)


def model_session(
    models: Mapping[str, ModelSettings],
    ledger: LedgerSettings,
    work: Callable[[Mapping[str, Role], int], Coroutine[Any, Any, Result]],
    *,
    bar: ProgressBar,
    say: Callable[[str], None],
    options: SessionOptions | None = None,
) -> Result:
    """Open models, run `work` with them and return its result.

    Args:
        models: Settings by role.
        ledger: Stores finished calls; a later session with the same ledger pays for none of them.
        work: Takes the models by role, and how many questions to ask side by side.
        bar: Shows the progress.
        say: Prints one line.
        options: None: plain adapters and no caps.

    Raises:
        ConfigError: A model cannot be used.
        WeightsError: A local model cannot be fetched or loaded.
        StoppedError: The user stopped the command, or the endpoint stays unavailable; the same
            command resumes.
    """
    options = options or SessionOptions()
    ledger.path.parent.mkdir(parents=True, exist_ok=True)
    is_local = any(settings.kind == "local" for settings in models.values())
    in_flight = LOCAL_IN_FLIGHT if is_local else HOSTED_IN_FLIGHT
    with (
        stopping_on_signal(say) as stopper,
        open_models(
            models, ledger=ledger, budget=options.budget, on_part=bar.on_part, say=say
        ) as open_lms,
    ):
        stopper.attach(open_lms.engine)
        bar.count_tokens(open_lms.engine.totals)
        roles = {
            role: Role(open_lms.lms[role], settings.model, options.adapters.get(role))
            for role, settings in models.items()
        }
        try:
            with open_lms.in_batches():
                work_now = work(roles, max(in_flight, open_lms.most_waiting))
                result = open_lms.engine.run(work_now)
        except LMError as error:
            open_lms.check_served()
            raise StoppedError(str(error)) from error
        open_lms.check_served()
        return result
