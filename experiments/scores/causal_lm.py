"""How likely a causal language model holds the tokens of texts: the losses behind IFD.

A text is a start token and its own tokens. The start token is context and never scored, so that
each token of a text has a loss, the first one too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autoevol.experiments.scores.pretrained import Pretrained, Tokens, load
from autoevol.program.errors import ConfigError

_STEP = 128
"""Positions whose logits are turned into single precision at once."""

_SEPARATOR = "<|endoftext|>"
"""Between the documents that GPT-2's descendants were trained on; the BOS of their chat models
announces a role instead, and makes the first words of a plain text unlikely."""

LogProbs = NDArray[np.float64]


class TokenModel(Protocol):
    """Tells tokens of texts, and how likely each is after the ones before it."""

    @property
    def start(self) -> int:
        """The token that stands before every text."""
        ...

    @property
    def most(self) -> int:
        """Tokens of a text, its start included."""
        ...

    def tokens(self, text: str) -> Tokens:
        """Return a text's own tokens."""
        ...

    def log_probs(self, texts: Sequence[Tokens]) -> list[LogProbs]:
        """Return for each text (tokens - 1,) natural log-probabilities, at most 0."""
        ...


@dataclass(frozen=True, slots=True)
class CausalModel:
    """A causal language model of transformers.

    Attributes:
        loaded: The model.
        start: See `TokenModel`.
        most: See `TokenModel`.
    """

    loaded: Pretrained
    start: int
    most: int

    def tokens(self, text: str) -> Tokens:
        """Return a text's own tokens, without what the tokenizer would put around them."""
        return tuple(self.loaded.tokenizer(text, add_special_tokens=False).input_ids)

    def log_probs(self, texts: Sequence[Tokens]) -> list[LogProbs]:
        """Return for each text (tokens - 1,) natural log-probabilities, at most 0.

        Shorter texts are padded at their end, where no token of theirs looks.
        """
        import torch

        ids, mask = self.loaded.padded(texts, self.start)
        with torch.inference_mode():
            output = self.loaded.model(input_ids=ids, attention_mask=mask, use_cache=False)
            found = _of_targets(output.logits[:, :-1], ids[:, 1:]).double().cpu().numpy()
        return [row[: len(text) - 1] for row, text in zip(found, texts, strict=True)]


def _of_targets(logits: Any, targets: Any) -> Any:
    """Return (texts, positions) log-probabilities from (texts, positions, vocabulary) logits."""
    import torch
    from torch.nn.functional import cross_entropy

    parts = [
        cross_entropy(part.flatten(0, 1).float(), wanted.flatten(), reduction="none").view_as(
            wanted
        )
        for part, wanted in zip(logits.split(_STEP, 1), targets.split(_STEP, 1), strict=True)
    ]
    return -torch.cat(parts, dim=1)


def open_causal(name: str, where: str, *, most: int) -> CausalModel:
    """Return a causal language model to score with.

    Args:
        name: As `experiments.scores.pretrained.load` takes it.
        where: The key that named it, for errors.
        most: Tokens of a text at most; fewer where the model takes fewer.

    Raises:
        ConfigError: The extra is not installed, or the model is not there or of another kind.
    """
    loaded = load(name, "AutoModelForCausalLM", where)
    kinds = loaded.model.config.architectures or []
    if kinds and not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise ConfigError(where, f"{name} is no causal language model: {kinds[0]}")
    start = start_token(loaded.tokenizer)
    if start is None:
        raise ConfigError(where, f"{name} has no token to begin a text with: neither BOS nor EOS")
    return CausalModel(loaded, start, min(most, loaded.most))


def start_token(tokenizer: Any) -> int | None:
    """Return what stands before a plain text; None: the tokenizer has nothing of the kind.

    It is what the tokenizer itself puts there, or what separates documents, or BOS, or EOS.
    """
    text = "a"
    bare, whole = tokenizer(text, add_special_tokens=False).input_ids, tokenizer(text).input_ids
    own = whole[0] if whole[:1] != bare[:1] else None
    separator = tokenizer.get_vocab().get(_SEPARATOR)
    known = (own, separator, tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(token) for token in known if token is not None), None)
