"""A model of natural language inference, which tells whether two texts contradict each other."""

import asyncio
import threading
from dataclasses import dataclass, field

from autoevol.experiments.pretrained.loading import Pretrained, load
from autoevol.program.errors import ConfigError

_CONTRADICTION = "contradict"


@dataclass(frozen=True, slots=True)
class NliModel:
    """A sequence classifier of pairs of texts.

    Attributes:
        loaded: The model.
        contradiction: Index of its label for a contradiction.
        lock: One text at a time: a fast tokenizer does not serve two threads.
    """

    loaded: Pretrained
    contradiction: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    async def relation(self, premise: str, hypothesis: str) -> str:
        """Return "contradiction" where that is the likeliest label, else "different"."""
        label = await asyncio.to_thread(self._label, premise, hypothesis)
        return "contradiction" if label == self.contradiction else "different"

    def _label(self, premise: str, hypothesis: str) -> int:
        import torch

        with self.lock, torch.inference_mode():
            encoded = self.loaded.tokenizer(
                premise,
                hypothesis,
                truncation=True,
                max_length=self.loaded.max_tokens,
                return_tensors="pt",
            ).to(self.loaded.device)
            return int(self.loaded.model(**encoded).logits[0].argmax())


def open_nli(name: str, where: str) -> NliModel:
    """Return a model of natural language inference.

    Args:
        name: As `experiments.pretrained.loading.load` takes it.
        where: The key that names it, for errors.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded or has no label for a
            contradiction.
    """
    loaded = load(name, "AutoModelForSequenceClassification", where)
    labels = {int(number): str(label) for number, label in loaded.model.config.id2label.items()}
    numbers = [n for n, label in labels.items() if label.lower().startswith(_CONTRADICTION)]
    if len(numbers) != 1:
        shown = ", ".join(labels.values())
        raise ConfigError(where, f"{name} has no label for a contradiction; its labels: {shown}")
    return NliModel(loaded, numbers[0])
