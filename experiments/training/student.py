"""The student before its training: its weights in single precision, its tokenizer and template."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2

from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.pretrained.adapters import (
    adapter_tokenizer,
    base_of,
    is_adapter,
    with_adapter,
)
from autoevol.experiments.pretrained.loading import (
    check_weights,
    libraries,
    load_errors,
    most_tokens,
    quiet,
    source_of,
    use_idle_cores,
)
from autoevol.experiments.training.examples import Example
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Student:
    """A causal language model that can be trained.

    Attributes:
        model: Of transformers, or an adapter of PEFT that is trained on.
        tokenizer: With a chat template.
        max_length: Tokens of an example; a longer one is cut.
        base: What an adapter of it belongs to, as the user or the adapter's file names it.
    """

    model: Any
    tokenizer: Any
    max_length: int
    base: str

    def lengths(self, example: Example) -> tuple[int, int]:
        """Return the tokens of an example's prompt, and of all of it."""
        answer = {"role": "assistant", "content": example.completion}
        prompt = self._templated([*example.prompt], add_generation_prompt=True)
        return prompt, self._templated([*example.prompt, answer])

    def _templated(self, messages: list[dict[str, str]], **options: Any) -> int:
        encoded = self.tokenizer.apply_chat_template(messages, return_dict=True, **options)
        return len(encoded["input_ids"])


def open_student(config: TrainConfig, where: str) -> Student:
    """Return the student; of a LoRA adapter's folder the adapter on its model, to be trained on.

    No code that comes with a model is run, and weights are read as safetensors or GGUF: a pickle
    can run code when it is read.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded, or it has no chat
            template.
    """
    key, folder = f"{where}: train.model", Path(config.model).expanduser()
    if not is_adapter(config.model):
        return _with_template(_whole(config, config.model, key), config, where)
    if config.method == "full":
        raise ConfigError(
            key, f"{folder} is a LoRA adapter, of which train.method: lora trains on its matrices"
        )
    student = _whole(config, base_of(folder, key), key)
    adapted = replace(
        student,
        model=with_adapter(student.model, folder, key, is_trainable=True),
        tokenizer=adapter_tokenizer(folder, student.tokenizer, key),
    )
    return _with_template(adapted, config, where)


def _whole(config: TrainConfig, name: str, key: str) -> Student:
    torch, transformers = libraries(name, key)
    use_idle_cores(torch)
    source = source_of(name, key)
    is_gguf = "gguf_file" in source.options
    with quiet(transformers), load_errors(name, key):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source.name, **source.options, trust_remote_code=False
        )
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            source.name,
            dtype=torch.float32,
            trust_remote_code=False,
            output_loading_info=True,
            **source.options,
            **({} if is_gguf else {"use_safetensors": True}),
        )
        if is_gguf:
            model = _trainable(model, transformers, torch)
    check_weights(report, name, "AutoModelForCausalLM", key)
    longest = min(config.max_length, most_tokens(model, tokenizer))
    return Student(model, tokenizer, longest, name)


def _trainable(model: Any, transformers: Any, torch: Any) -> Any:
    """Return a model like one that was read from GGUF, which no trainer takes as it is."""
    config = model.config
    # The weights are in single precision already; their origin alone is in the way.
    del config.quantization_config
    fresh = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(model.state_dict())
    return fresh


def _with_template(student: Student, config: TrainConfig, where: str) -> Student:
    tokenizer = student.tokenizer
    tokenizer.chat_template = template_of(config, where) or tokenizer.chat_template
    if not tokenizer.chat_template:
        raise ConfigError(
            f"{where}: train.model",
            f"{config.model} has no chat template; give one in a file, train.chat_template",
        )
    return student


def template_of(config: TrainConfig, where: str) -> str:
    """Return the chat template that the config names; "": it names none.

    Raises:
        ConfigError: Its file cannot be read.
    """
    key = f"{where}: train.chat_template"
    return read_text(local_path(config.chat_template, key), key) if config.chat_template else ""


@dataclass(frozen=True, slots=True)
class Readable:
    """What a student can learn from.

    Attributes:
        examples: Those whose prompts leave room for an answer.
        tokens: Of each, as far as it is read.
        no_room: How many others there are.
        is_cut: Of each example, whether its answer is not read to its end.
    """

    examples: tuple[Example, ...]
    tokens: tuple[int, ...]
    no_room: int
    is_cut: tuple[bool, ...]

    @property
    def cut(self) -> int:
        """Examples whose answers are not read to their end."""
        return sum(self.is_cut)

    def within(self, most: int | None) -> "Readable":
        """Return the first examples that have so many tokens together at most; None: all."""
        if most is None:
            return self
        sums = itertools.accumulate(self.tokens)
        count = sum(1 for _ in itertools.takewhile(lambda total: total <= most, sums))
        first = (self.examples[:count], self.tokens[:count])
        return Readable(*first, self.no_room, self.is_cut[:count])


def readable(student: Student, examples: Sequence[Example], where: str) -> Readable:
    """Return the examples that a student can learn from.

    Raises:
        ConfigError: Its template refuses an example, as some do system prompts, or no prompt leaves
            room for an answer.
    """
    longest = student.max_length
    lengths = [_lengths(student, example, where) for example in examples]
    kept = [
        (e, whole) for e, (prompt, whole) in zip(examples, lengths, strict=True) if prompt < longest
    ]
    if examples and not kept:
        raise ConfigError(
            f"{where}: train.max_length",
            f"no prompt has fewer than {longest:,} tokens, so that none leaves room for an answer",
        )
    return Readable(
        tuple(example for example, _ in kept),
        tuple(min(longest, whole) for _, whole in kept),
        len(examples) - len(kept),
        tuple(whole > longest for _, whole in kept),
    )


def _lengths(student: Student, example: Example, where: str) -> tuple[int, int]:
    try:
        return student.lengths(example)
    except (jinja2.TemplateError, TypeError, KeyError, ValueError) as error:
        raise ConfigError(
            f"{where}: train.model",
            f"its chat template refuses row {example.row}: {error}",
        ) from error
