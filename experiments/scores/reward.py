"""Rewards of rows by a reward model of transformers, and how far they only follow length."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import jinja2

from autoevol.experiments.scores.pretrained import BATCH_TOKENS, Pretrained, Tokens, batches, load
from autoevol.experiments.scores.set_scores import (
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


class UntellableError(Exception):
    """A row cannot be put before the model; says why."""


class Rewarder(Protocol):
    """Tells how good the answers of a conversation are."""

    def tokens(self, messages: Sequence[Message]) -> Tokens:
        """Return a conversation as the model reads it.

        Raises:
            UntellableError: It is too long, or the model's template does not take it.
        """
        ...

    def rewards(self, texts: Sequence[Tokens]) -> list[float]:
        """Return a figure for each, without bounds; higher is better."""
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
        most: Tokens of a conversation; a longer one is not cut, since its end decides.
    """

    loaded: Pretrained
    most: int

    def tokens(self, messages: Sequence[Message]) -> Tokens:
        """Return a conversation in the model's own chat template."""
        try:
            told = self.loaded.tokenizer.apply_chat_template(list(messages), return_dict=True)
        except jinja2.TemplateError as error:
            raise UntellableError(f"the model's chat template refuses it: {error}") from error
        ids = tuple(told["input_ids"])
        if len(ids) > self.most:
            raise UntellableError(f"too long: {len(ids)} tokens of {self.most}")
        return ids

    def rewards(self, texts: Sequence[Tokens]) -> list[float]:
        """Return the logits (texts,)."""
        import torch

        pad = self.loaded.model.config.pad_token_id
        ids, mask = self.loaded.padded(texts, pad or 0)
        with torch.inference_mode():
            logits = self.loaded.model(input_ids=ids, attention_mask=mask).logits
        found: list[float] = logits[:, 0].float().cpu().tolist()
        return found

    @property
    def batch_tokens(self) -> int:
        """As of a batch; without a padding token the model finds a text's end only alone."""
        return 0 if self.loaded.model.config.pad_token_id is None else BATCH_TOKENS


def open_reward(name: str, where: str, *, most: int) -> RewardModel:
    """Return a reward model.

    Args:
        name: As `experiments.scores.pretrained.load` takes it.
        where: The key that named it, for errors.
        most: Tokens of a conversation at most; fewer where the model takes fewer.

    Raises:
        ConfigError: The extra is not installed, or the model is not there or no reward model.
    """
    loaded = load(name, "AutoModelForSequenceClassification", where)
    if (labels := loaded.model.config.num_labels) != 1:
        raise ConfigError(where, f"{name} is no reward model: it has {labels} labels, not one")
    if not loaded.tokenizer.chat_template:
        raise ConfigError(where, f"{name} has no chat template to put a row into")
    return RewardModel(loaded, min(most, loaded.most))


async def reward_scores(rounds: Rounds, model: Rewarder, listeners: Listeners) -> SetScores:
    """Return the rewards of rows, their means by round, and their correlation with length.

    The model works in a thread, so that signals are heard between two batches.
    """
    rows = [row for members in rounds.values() for row in members]
    listeners.on_phase(Phase(f"score: {NAME}", len(rows)))
    found, texts = SetScores(), dict[str, Tokens]()
    for row in rows:
        try:
            texts[row.id] = model.tokens(_messages(row))
        except UntellableError as error:
            found.problems[row.id] = str(error)
            listeners.on_row(Outcome(row, row, "failed"))
    await _reward(found, [row for row in rows if row.id in texts], texts, model, listeners)
    for number, members in rounds.items():
        rewards = [found.by_row.get(row.id, {}).get(NAME) for row in members]
        found.by_round[number] = {
            **mean_figures(rewards),
            "length_correlation": length_correlation(members, rewards),
            "unscored": sum(reward is None for reward in rewards),
        }
    return found


async def _reward(
    found: SetScores,
    rows: Sequence[Row],
    texts: dict[str, Tokens],
    model: Rewarder,
    listeners: Listeners,
) -> None:
    for batch in batches([len(texts[row.id]) for row in rows], model.batch_tokens):
        members = [rows[number] for number in batch]
        told = await asyncio.to_thread(model.rewards, [texts[row.id] for row in members])
        for row, reward in zip(members, told, strict=True):
            if reward == reward:
                found.by_row[row.id] = {NAME: round(reward, 6)}
            else:
                found.problems[row.id] = "the model gives no number"
            listeners.on_row(Outcome(row, row, "kept" if reward == reward else "failed"))


def _messages(row: Row) -> list[Message]:
    """Return a row as a conversation.

    Raises:
        UntellableError: It has no answer, or not one for each turn.
    """
    if not row.response.strip() or (row.turns and len(row.answers) != len(row.turns)):
        raise UntellableError("no answer")
    pairs = zip(
        row.turns or (row.prompt,), row.answers if row.turns else (row.response,), strict=True
    )
    return [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
