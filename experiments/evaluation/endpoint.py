"""A model behind an address, or served by llama.cpp: it answers and tells no probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.experiments.config.evaluate import EvaluateConfig
from autoevol.experiments.evaluation.model import Answer
from autoevol.experiments.evaluation.tasks.items import Item
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.settings import ModelSettings
from autoevol.program.blocks import together
from autoevol.program.errors import ConfigError
from autoevol.program.lm_errors import ROW_ERRORS, problem_of
from autoevol.program.roles import Role

ROLE = "evaluated"
_BLOCKS = 4
"""Times as many items are given together as calls are in flight, so that none waits for a block."""


@dataclass(frozen=True, slots=True)
class EndpointModel:
    """A role's model.

    Attributes:
        role: Its model, with ledger and retries.
        in_flight: Calls at the same time.
    """

    role: Role
    in_flight: int

    @property
    def block(self) -> int:
        """How many items are given to it together."""
        return self.in_flight * _BLOCKS

    async def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the model writes to each conversation."""
        return await together([self._answer(item) for item in items])

    async def _answer(self, item: Item) -> Answer:
        messages = [dict(message) for message in item.messages]
        try:
            [text] = await self.role.lm.acall(messages=messages)
        except ROW_ERRORS as error:
            return Answer(problem=problem_of(error))
        return Answer(str(text))

    async def log_probs(self, items: Sequence[Item], texts: Sequence[str]) -> list[list[float]]:
        """Refuse: endpoints do not tell the probabilities of texts that they did not write."""
        raise ConfigError(
            self.role.model, "an endpoint tells no probabilities; name a folder of the weights"
        )


def endpoint_settings(name: str, config: EvaluateConfig, where: str) -> ModelSettings:
    """Return the settings of a model that is evaluated.

    Raises:
        ConfigError: The model cannot be used.
    """
    settings = ModelSettings(
        name,
        api_base=config.api_base,
        api_key_env=config.api_key_env,
        temperature=0.0,
        max_tokens=config.max_tokens,
        role=ROLE,
        config_section="evaluate",
    )
    check(settings, where)
    return settings
