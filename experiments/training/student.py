"""The student before its training: its weights in single precision, its tokenizer and template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jinja2

from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.files.paths import local_path, read_text
from autoevol.experiments.scores.pretrained import (
    libraries,
    load_errors,
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
        model: Of transformers.
        tokenizer: With a chat template.
        max_length: Tokens of an example; a longer one is cut.
    """

    model: Any
    tokenizer: Any
    max_length: int

    def tokens(self, example: Example) -> int:
        """Return the tokens of an example that are trained on or read."""
        messages = [*example.prompt, {"role": "assistant", "content": example.completion}]
        tokens = self.tokenizer.apply_chat_template(messages, return_dict=True)["input_ids"]
        return min(self.max_length, len(tokens))


def open_student(config: TrainConfig, where: str) -> Student:
    """Return the student.

    No code that comes with a model is run, and weights are read as safetensors or GGUF: a pickle
    can run code when it is read.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded, or it has no chat
            template.
    """
    key = f"{where}: train.model"
    torch, transformers = libraries(config.model, key)
    use_idle_cores(torch)
    source = source_of(config.model, key)
    is_gguf = "gguf_file" in source.options
    with quiet(transformers), load_errors(config.model, key):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source.name, **source.options, trust_remote_code=False
        )
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source.name,
            dtype=torch.float32,
            trust_remote_code=False,
            **source.options,
            **({} if is_gguf else {"use_safetensors": True}),
        )
        if is_gguf:
            model = _trainable(model, transformers, torch)
    tokenizer.chat_template = template_of(config, where) or tokenizer.chat_template
    if not tokenizer.chat_template:
        raise ConfigError(
            key, f"{config.model} has no chat template; give one in a file, train.chat_template"
        )
    return Student(model, tokenizer, config.max_length)


def _trainable(model: Any, transformers: Any, torch: Any) -> Any:
    """Return a model like one that was read from GGUF, which no trainer takes as it is."""
    config = model.config
    # The weights are in single precision already; their origin alone is in the way.
    del config.quantization_config
    fresh = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    fresh.load_state_dict(model.state_dict())
    return fresh


def template_of(config: TrainConfig, where: str) -> str:
    """Return the chat template that the config names; "": it names none.

    Raises:
        ConfigError: Its file cannot be read.
    """
    key = f"{where}: train.chat_template"
    return read_text(local_path(config.chat_template, key), key) if config.chat_template else ""


def check_examples(student: Student, examples: Sequence[Example], where: str) -> None:
    """Check that the student's template takes the examples' messages.

    Raises:
        ConfigError: It refuses one, as some do system prompts.
    """
    for example in examples:
        try:
            student.tokens(example)
        except (jinja2.TemplateError, TypeError, KeyError, ValueError) as error:
            raise ConfigError(
                f"{where}: train.model",
                f"its chat template refuses row {example.row}: {error}",
            ) from error


def within_tokens(
    student: Student, examples: Sequence[Example], most: int | None
) -> tuple[Example, ...]:
    """Return the first examples that have so many tokens together at most; None: all."""
    if most is None:
        return tuple(examples)
    chosen: list[Example] = []
    total = 0
    for example in examples:
        total += student.tokens(example)
        if total > most:
            break
        chosen.append(example)
    return tuple(chosen)
