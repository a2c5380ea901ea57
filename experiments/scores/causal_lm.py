"""A causal language model's log-probabilities of the tokens of texts: the losses behind IFD.

A text is a start token and its own tokens. The start token is context and never scored, so that
each token of a text has a loss, the first one too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autoevol.experiments.pretrained.loading import Pretrained, Tokens, load
from autoevol.program.errors import ConfigError

_STEP = 128
"""Positions whose logits are converted to single precision at once."""

_SEPARATOR = "<|endoftext|>"
"""Between the documents that GPT-2's descendants were trained on; the BOS of their chat models
announces a role instead, and makes the first words of a plain text unlikely."""

LogProbs = NDArray[np.float64]


class TokenModel(Protocol):
    """Splits texts into tokens, and gives each token's probability after the ones before it."""

    @property
    def start(self) -> int:
        """The token before every text."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest text that the model takes, its start token included."""
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
        max_tokens: See `TokenModel`.
    """

    loaded: Pretrained
    start: int
    max_tokens: int

    def tokens(self, text: str) -> Tokens:
        """Return a text's own tokens, without the special tokens that the tokenizer would add."""
        return tuple(self.loaded.tokenizer(text, add_special_tokens=False).input_ids)

    def log_probs(self, texts: Sequence[Tokens]) -> list[LogProbs]:
        """Return for each text (tokens - 1,) natural log-probabilities, at most 0."""
        import torch

        # Padding at the end changes nothing: a causal model's token sees only the ones before it.
        ids, mask = self.loaded.padded(texts, self.start)
        with torch.inference_mode():
            # No token is generated, so a cache of keys and values would only take memory.
            output = self.loaded.model(input_ids=ids, attention_mask=mask, use_cache=False)
            # Position i predicts token i + 1, so logits and targets are shifted by one.
            log_probs = _of_targets(output.logits[:, :-1], ids[:, 1:]).double().cpu().numpy()
        return [row[: len(text) - 1] for row, text in zip(log_probs, texts, strict=True)]


def _of_targets(logits: Any, targets: Any) -> Any:
    """Return (texts, positions) log-probabilities from (texts, positions, vocabulary) logits."""
    import torch
    from torch.nn.functional import cross_entropy

    # In slices: logits are the largest tensor here, and a second copy of all would double them.
    parts = [
        cross_entropy(part.flatten(0, 1).float(), wanted.flatten(), reduction="none").view_as(
            wanted
        )
        for part, wanted in zip(logits.split(_STEP, 1), targets.split(_STEP, 1), strict=True)
    ]
    return -torch.cat(parts, dim=1)


def open_causal(name: str, where: str, *, max_tokens: int) -> CausalModel:
    """Return a causal language model to score with.

    Args:
        name: As `experiments.pretrained.loading.load` takes it.
        where: The key that names it, for errors.
        max_tokens: Of a text; fewer where the model takes fewer.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded or is of another
            kind.
    """
    loaded = load(name, "AutoModelForCausalLM", where)
    # transformers loads an encoder such as BERT for this task, too, without a complaint.
    kinds = loaded.model.config.architectures or []
    if kinds and not any(kind.endswith(("ForCausalLM", "LMHeadModel")) for kind in kinds):
        raise ConfigError(where, f"{name} is no causal language model: {kinds[0]}")
    start = start_token(loaded.tokenizer)
    if start is None:
        raise ConfigError(where, f"{name} has no token to begin a text with: neither BOS nor EOS")
    return CausalModel(loaded, start, min(max_tokens, loaded.max_tokens))


def start_token(tokenizer: Any) -> int | None:
    """Return the token before a plain text; None: the tokenizer has none.

    It is the one that the tokenizer itself adds, or the separator of documents, or BOS, or EOS.
    """
    # A tokenizer does not declare that it adds BOS, so one text is encoded with and without it.
    text = "a"
    bare, whole = tokenizer(text, add_special_tokens=False).input_ids, tokenizer(text).input_ids
    own = whole[0] if whole[:1] != bare[:1] else None
    separator = tokenizer.get_vocab().get(_SEPARATOR)
    candidates = (own, separator, tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(token) for token in candidates if token is not None), None)
