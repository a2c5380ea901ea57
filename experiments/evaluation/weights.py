"""A model in this process: a folder, a name of the hub, shipped weights, or a LoRA adapter."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.config.evaluate import EvaluateConfig
from autoevol.experiments.evaluation.model import Answer
from autoevol.experiments.evaluation.tasks.items import Item
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.pretrained.adapters import (
    adapter_tokenizer,
    base_of,
    is_adapter,
    with_adapter,
)
from autoevol.experiments.pretrained.free_memory import within_free_memory
from autoevol.experiments.pretrained.loading import Pretrained, Tokens, batches, load, load_errors
from autoevol.experiments.pretrained.memory import memory_errors
from autoevol.program.errors import ConfigError

_PLACE = "\u2042answer\u2042"
"""Stands for an answer, to see where a template puts it."""


class TemplateError(Exception):
    """A chat template does not take a conversation; the message says why."""


@dataclass(frozen=True, slots=True)
class WeightsModel:
    """A causal language model of transformers.

    Attributes:
        loaded: The model; its tokenizer may have a chat template.
        name: As the user wrote it, for messages.
        max_tokens: Of an answer.
        block: Conversations that are answered together.
    """

    loaded: Pretrained
    name: str
    max_tokens: int
    block: int

    async def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Return what the model writes to each conversation, always the likeliest token."""
        prompts: dict[int, Tokens] = {}
        answers: dict[int, Answer] = {}
        for number, item in enumerate(items):
            try:
                prompts[number] = self.prompt(item)
            except TemplateError as refusal:
                answers[number] = Answer(problem=str(refusal))
        if prompts:
            written = self._written([*prompts.values()])
            answers |= {n: Answer(text) for n, text in zip(prompts, written, strict=True)}
        return [answers[number] for number in range(len(items))]

    def _written(self, prompts: Sequence[Tokens]) -> list[str]:
        import torch

        tokenizer, model = self.loaded.tokenizer, self.loaded.model
        longest = max(map(len, prompts))
        # Filled at the front, so that all prompts end where the answers begin.
        pad = _pad(tokenizer)
        ids = torch.tensor([[*[pad] * (longest - len(p)), *p] for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        with torch.inference_mode(), within_free_memory():
            written = model.generate(
                input_ids=ids.to(self.loaded.device),
                attention_mask=mask.to(self.loaded.device),
                max_new_tokens=self._room(longest),
                do_sample=False,
                pad_token_id=pad,
                tokenizer=tokenizer,
            )
        return list(tokenizer.batch_decode(written[:, longest:], skip_special_tokens=True))

    def _room(self, prompt: int) -> int:
        return max(1, min(self.max_tokens, self.loaded.max_tokens - prompt))

    def prompt(self, item: Item) -> Tokens:
        """Return the tokens before an answer.

        Raises:
            TemplateError: The chat template does not take the conversation.
        """
        tokens = self._templated(item)
        # Of a prompt that leaves no room the beginning goes: the question comes last.
        most = self.loaded.max_tokens - min(self.max_tokens, self.loaded.max_tokens // 2)
        return tokens[-most:]

    def _templated(self, item: Item) -> Tokens:
        try:
            encoded = self.loaded.tokenizer.apply_chat_template(
                [dict(message) for message in item.messages],
                add_generation_prompt=True,
                return_dict=True,
            )
        # A template is a program of somebody else's.
        except Exception as error:
            raise TemplateError(f"its chat template refuses it: {error!r:.200}") from error
        tokens = tuple(int(token) for token in encoded["input_ids"])
        if not tokens:
            raise TemplateError("its chat template makes nothing of it")
        return tokens

    async def log_probs(self, items: Sequence[Item], texts: Sequence[str]) -> list[list[float]]:
        """Return the natural log-probabilities of the tokens of a text after each item."""
        results: list[list[float]] = [[] for _ in items]
        pairs: dict[int, tuple[Tokens, Tokens]] = {}
        for number, (item, text) in enumerate(zip(items, texts, strict=True)):
            # What the template refuses has no probability.
            with contextlib.suppress(TemplateError):
                pairs[number] = self._pair(item, text)
        names = [*pairs]
        for batch in batches([sum(map(len, pair)) for pair in pairs.values()]):
            batch = [names[place] for place in batch]
            for number, values in zip(batch, self._scored([pairs[n] for n in batch]), strict=True):
                results[number] = values
        return results

    def _pair(self, item: Item, text: str) -> tuple[Tokens, Tokens]:
        """Return the tokens before a text and its own, no more than the model takes."""
        tokenizer = self.loaded.tokenizer
        if "choices" in item.key:
            before = tuple(tokenizer(item.question).input_ids)
            # The text's tokens as they are behind the question: a blank joins the next word.
            own = tuple(tokenizer(item.question + text).input_ids)[len(before) :]
        else:
            before = self._before_answer(item)
            own = tuple(tokenizer(text, add_special_tokens=False).input_ids)
        own = own[: self.loaded.max_tokens // 2]
        return before[-(self.loaded.max_tokens - len(own)) :], own

    def _before_answer(self, item: Item) -> Tokens:
        """Return the tokens that the template has before an answer in a whole conversation.

        A training has the answer behind them. Some templates end a prompt earlier: they add an
        empty thought or the answer's heading only where there is an answer.
        """
        prompt = self._templated(item)
        answer = {"role": "assistant", "content": _PLACE}
        tokenizer = self.loaded.tokenizer
        try:
            whole = str(
                tokenizer.apply_chat_template([*map(dict, item.messages), answer], tokenize=False)
            )
        # A template is a program of somebody else's.
        except Exception as error:
            raise TemplateError(f"its chat template refuses an answer: {error!r:.200}") from error
        before, place, _ = whole.partition(_PLACE)
        return tuple(tokenizer(before, add_special_tokens=False).input_ids) if place else prompt

    def _scored(self, pairs: Sequence[tuple[Tokens, Tokens]]) -> Iterator[list[float]]:
        import torch

        whole = [before + own for before, own in pairs]
        ids, mask = self.loaded.padded(whole, _pad(self.loaded.tokenizer))
        with torch.inference_mode(), within_free_memory():
            logits = self.loaded.model(input_ids=ids, attention_mask=mask, use_cache=False).logits
            for row, (before, own) in enumerate(pairs):
                # Position i predicts token i + 1.
                part = logits[row, len(before) - 1 : len(before) + len(own) - 1].float()
                wanted = ids[row, len(before) : len(before) + len(own), None]
                yield torch.log_softmax(part, -1).gather(-1, wanted)[:, 0].tolist()


def _pad(tokenizer: Any) -> int:
    """Return a token to fill with; where it stands is masked."""
    tokens = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id)
    return next((int(token) for token in tokens if token is not None), 0)


def open_weights(name: str, config: EvaluateConfig, where: str) -> WeightsModel:
    """Return a model in this process.

    No code that comes with a model is run, and weights are read as safetensors or GGUF.

    Args:
        name: A folder of a model or of a LoRA adapter, `local/NAME`, or a name of the hub.
        config: Tokens of an answer, conversations together, the chat template.
        where: What names it, for messages.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded or has no chat
            template.
    """
    folder = Path(name).expanduser()
    is_adapted = is_adapter(name)
    base = base_of(folder, where) if is_adapted else name
    loaded = load(base, "AutoModelForCausalLM", where, only_safe=True)
    if is_adapted:
        tokenizer = adapter_tokenizer(folder, loaded.tokenizer, where)
        adapted = with_adapter(loaded.model, folder, where)
        with load_errors(name, where):
            merged = adapted.merge_and_unload().eval()
        loaded = replace(loaded, model=merged, tokenizer=tokenizer)
    tokenizer = loaded.tokenizer
    if config.chat_template:
        key = f"{where}: evaluate.chat_template"
        tokenizer.chat_template = read_text(local_path(config.chat_template, key), key)
    if not tokenizer.chat_template:
        raise ConfigError(
            where,
            f"{name} has no chat template; give one in a file, --set evaluate.chat_template=FILE",
        )
    opened = WeightsModel(loaded, name, config.max_tokens, config.batch)
    _check_template(opened, config, where)
    return opened


def _check_template(model: WeightsModel, config: EvaluateConfig, where: str) -> None:
    """Return if the template takes the plainest conversation."""
    try:
        model.prompt(Item("", ({"role": "user", "content": "Hello."},)))
    except TemplateError as refusal:
        key = f"{where}: evaluate.chat_template" if config.chat_template else where
        raise ConfigError(key, f"{model.name}: {refusal}") from refusal


def batch_memory(config: EvaluateConfig) -> contextlib.AbstractContextManager[None]:
    """Turn an error for want of memory into one line that names the batch to try.

    Raises:
        ConfigError: The memory did not suffice.
    """
    fewer = config.batch // 2
    advice = f"try evaluate.batch={fewer}" if fewer else "the model needs a larger machine"
    return memory_errors("evaluate.batch", f"{config.batch} takes too much memory; {advice}")
