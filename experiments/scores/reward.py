"""Rewards of rows by a reward model of transformers, and their correlation with length."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import jinja2

from autoevol.experiments.pretrained.loading import BATCH_TOKENS, Pretrained, Tokens, batches, load
from autoevol.experiments.scores.results import (
    Rounds,
    SetScores,
    length_correlation,
    mean_figures,
)
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Outcome, Row

NAME = "reward"
Message = dict[str, str]
"""`role` and `content`."""


class UnscorableError(Exception):
    """A row cannot be shown to the model; says why."""


class Rewarder(Protocol):
    """Scores the answers of conversations."""

    def tokens(self, messages: Sequence[Message]) -> Tokens:
        """Return a conversation as the model reads it.

        Raises:
            UnscorableError: It is too long, or the model's template does not take it.
        """
        ...

    def rewards(self, texts: Sequence[Tokens]) -> list[float]:
        """Return a reward for each text, without bounds; higher is better."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Tokens that are read at once, padding included; 0: text by text."""
        ...


@dataclass(frozen=True, slots=True)
class RewardModel:
    """A sequence classifier with one label; its logit is the reward.

    Attributes:
        loaded: The model.
        max_tokens: Of a conversation; a longer one is not cut, since its end decides.
    """

    loaded: Pretrained
    max_tokens: int

    def tokens(self, messages: Sequence[Message]) -> Tokens:
        """Return a conversation in the model's own chat template."""
        try:
            encoded = self.loaded.tokenizer.apply_chat_template(list(messages), return_dict=True)
        except jinja2.TemplateError as error:
            raise UnscorableError(f"the model's chat template refuses it: {error}") from error
        ids = tuple(encoded["input_ids"])
        if len(ids) > self.max_tokens:
            raise UnscorableError(f"too long: {len(ids)} tokens of {self.max_tokens}")
        return ids

    def rewards(self, texts: Sequence[Tokens]) -> list[float]:
        """Return the logits (texts,)."""
        import torch

        pad = self.loaded.model.config.pad_token_id
        ids, mask = self.loaded.padded(texts, pad or 0)
        with torch.inference_mode():
            logits = self.loaded.model(input_ids=ids, attention_mask=mask).logits
        rewards: list[float] = logits[:, 0].float().cpu().tolist()
        return rewards

    @property
    def batch_tokens(self) -> int:
        """Tokens of a batch, padding included; 0: text by text."""
        # The classifier reads the last token that is no padding. Without a padding token it cannot
        # tell where a padded text ends.
        return 0 if self.loaded.model.config.pad_token_id is None else BATCH_TOKENS


def open_reward(name: str, where: str, *, max_tokens: int) -> RewardModel:
    """Return a reward model.

    Args:
        name: As `experiments.pretrained.loading.load` takes it.
        where: The key that names it, for errors.
        max_tokens: Of a conversation; fewer where the model takes fewer.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded or is no reward
            model.
    """
    loaded = load(name, "AutoModelForSequenceClassification", where)
    if (labels := loaded.model.config.num_labels) != 1:
        raise ConfigError(where, f"{name} is no reward model: it has {labels} labels, not one")
    if not loaded.tokenizer.chat_template:
        raise ConfigError(where, f"{name} has no chat template to put a row into")
    return RewardModel(loaded, min(max_tokens, loaded.max_tokens))


async def reward_scores(rounds: Rounds, model: Rewarder, listeners: Listeners) -> SetScores:
    """Return the rewards of rows, their means by round, and their correlation with length."""
    rows = [row for members in rounds.values() for row in members]
    listeners.on_phase(Phase(f"score: {NAME}", len(rows)))
    scores, texts = SetScores(), dict[str, Tokens]()
    for row in rows:
        try:
            texts[row.id] = model.tokens(_messages(row))
        except UnscorableError as error:
            scores.problems[row.id] = str(error)
            listeners.on_row(Outcome(row, row, "failed"))
    await _add_rewards(scores, [row for row in rows if row.id in texts], texts, model, listeners)
    for number, members in rounds.items():
        rewards = [scores.by_row.get(row.id, {}).get(NAME) for row in members]
        scores.by_round[number] = {
            **mean_figures(rewards),
            "length_correlation": length_correlation(members, rewards),
            "unscored": sum(reward is None for reward in rewards),
        }
    return scores


async def _add_rewards(
    scores: SetScores,
    rows: Sequence[Row],
    texts: Mapping[str, Tokens],
    model: Rewarder,
    listeners: Listeners,
) -> None:
    for batch in batches([len(texts[row.id]) for row in rows], model.batch_tokens):
        members = [rows[number] for number in batch]
        # In a thread, so that Ctrl-C is handled between two batches.
        rewards = await asyncio.to_thread(model.rewards, [texts[row.id] for row in members])
        for row, reward in zip(members, rewards, strict=True):
            if reward == reward:
                scores.by_row[row.id] = {NAME: round(reward, 6)}
            else:  # nan
                scores.problems[row.id] = "the model gives no number"
            listeners.on_row(Outcome(row, row, "kept" if reward == reward else "failed"))


def _messages(row: Row) -> list[Message]:
    """Return a row as a conversation.

    Raises:
        UnscorableError: It has no answer, or not one for each turn.
    """
    if not row.response.strip() or (row.turns and len(row.answers) != len(row.turns)):
        raise UnscorableError("no answer")
    pairs = zip(
        row.turns or (row.prompt,), row.answers if row.turns else (row.response,), strict=True
    )
    return [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
