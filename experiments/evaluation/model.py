"""What a model has to be able to do, so that tasks can be given to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autoevol.experiments.evaluation.tasks.items import Item


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote.

    Attributes:
        text: The answer.
        problem: Why there is none; such an item is given again by the next command. "": there is.
    """

    text: str = ""
    problem: str = ""


class EvaluatedModel(Protocol):
    """A model that answers, and perhaps weighs texts."""

    @property
    def block(self) -> int:
        """How many items are given to it together."""
        ...

    async def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the model writes to each conversation."""
        ...

    async def log_probs(self, items: Sequence[Item], texts: Sequence[str]) -> list[list[float]]:
        """Return the natural log-probabilities, at most 0, of the tokens of a text after each item.

        Args:
            items: For `loss` a conversation, whose template comes before the text; for `choose` the
                item's message as it is.
            texts: One for each item.

        Raises:
            ConfigError: The model cannot tell them.
        """
        ...
