"""Models of `transformers` in this process: loaded without their libraries' output, and checked.

torch and transformers are an extra (`autoevol[scores]`); they are imported when a model is loaded.
"""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.models.local.idle_cores import idle_cores
from autoevol.experiments.models.local.weights import SHIPPED, pull
from autoevol.experiments.models.settings import local_path
from autoevol.program.errors import ConfigError, WeightsError

EXTRA = "pip install 'autoevol[scores]'"
_UNBOUNDED = 1 << 20
"""Token limit of models and tokenizers that declare none; tokenizers then declare about 1e30."""

BATCH_TOKENS = 1024
"""Tokens of a batch with its padding; a longer text is a batch of its own."""

Tokens = tuple[int, ...]
Task = Literal["AutoModelForCausalLM", "AutoModelForSequenceClassification"]
_KINDS: dict[Task, str] = {
    "AutoModelForCausalLM": "causal language model",
    "AutoModelForSequenceClassification": "sequence classifier",
}


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A loaded model with its tokenizer.

    Attributes:
        model: Of transformers, in evaluation mode.
        tokenizer: The model's own.
        device: Where the model is.
        max_tokens: The longest text that it takes.
    """

    model: Any
    tokenizer: Any
    device: str
    max_tokens: int

    def padded(self, texts: Sequence[Tokens], pad: int) -> tuple[Any, Any]:
        """Return ids and attention mask, (texts, longest); `pad` fills the end of shorter texts."""
        import torch

        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts])
        lengths = torch.tensor([len(text) for text in texts])
        mask = (torch.arange(longest) < lengths[:, None]).long()
        return ids.to(self.device), mask.to(self.device)


@dataclass(frozen=True, slots=True)
class Source:
    """What transformers loads a model from: a name of the hub or a folder, and options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


def load(name: str, task: Task, where: str, *, only_safe: bool = False) -> Pretrained:
    """Return a model, on the GPU where torch sees one, else in single precision on the CPU.

    Args:
        name: `local/NAME` of the shipped weights, `local/PATH.gguf`, a folder, a name of the hub.
        task: What the model must be trained for.
        where: The key that names it, for errors.
        only_safe: Refuse weights that are no safetensors or GGUF: a pickle can run code when it is
            read.

    Raises:
        ConfigError: The extra is not installed, or the model cannot be loaded or is of another
            kind.
    """
    torch, transformers = libraries(name, where)
    use_idle_cores(torch)
    source = source_of(name, where)
    # Without an answer to "trust?" the library would ask the user, and run the code at "y".
    options = {**source.options, "trust_remote_code": False}
    if only_safe and "gguf_file" not in options:
        options["use_safetensors"] = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float32 if device == "cpu" else "auto"
    with quiet(transformers), load_errors(name, where):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source.name, **source.options, trust_remote_code=False
        )
        model, report = getattr(transformers, task).from_pretrained(
            source.name, dtype=dtype, output_loading_info=True, **options
        )
        model.to(device).eval()
    check_weights(report, name, task, where)
    return Pretrained(model, tokenizer, device, most_tokens(model, tokenizer))


def check_weights(report: Mapping[str, Any], name: str, task: Task, where: str) -> None:
    """Return if a model's files had all of its weights.

    Args:
        report: Of transformers, which fills missing weights with random ones.
        name: Of the model.
        task: What it must be trained for.
        where: The key that names it, for errors.

    Raises:
        ConfigError: Some are missing.
    """
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])[0]
        raise ConfigError(where, f"{name} is no {_KINDS[task]}: it has no weights for {missing}")


def libraries(name: str, where: str) -> tuple[Any, Any]:
    """Return torch and transformers.

    Raises:
        ConfigError: They are not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ConfigError(
            where, f"{name} needs torch and transformers: {EXTRA} (docs/scores.md, The extra)"
        ) from error
    return torch, transformers


def use_idle_cores(torch: Any) -> None:
    """Let torch compute on the cores that are idle; what `OMP_NUM_THREADS` says counts more.

    Its threads wait for one another: on two cores that other work kept busy a training step took 73
    seconds with two threads and 8 with one.
    """
    if "OMP_NUM_THREADS" not in os.environ and not torch.cuda.is_available():
        torch.set_num_threads(idle_cores())


def source_of(name: str, where: str) -> Source:
    """Return where a model is read from.

    Raises:
        ConfigError: It is a local one that is unknown or cannot be fetched.
    """
    if name.startswith("local/"):
        file = _gguf(name, where)
        options = {"gguf_file": file.name, "local_files_only": True}
        return Source(str(file.parent), options)
    folder = Path(name).expanduser()
    return Source(str(folder), {"local_files_only": True}) if folder.is_dir() else Source(name)


def _gguf(name: str, where: str) -> Path:
    short = name.removeprefix("local/")
    try:
        file = pull(SHIPPED[short]) if short in SHIPPED else local_path(name)
    except WeightsError as error:
        raise ConfigError(where, str(error)) from error
    if file is None or file.suffix != ".gguf":
        names = ", ".join(SHIPPED)
        raise ConfigError(
            where, f"unknown local model {short!r}; must be one of {names}, or PATH.gguf"
        )
    if not file.is_file():
        raise ConfigError(where, f"no such file: {file}")
    return file


@contextlib.contextmanager
def load_errors(name: str, where: str) -> Iterator[None]:
    """Turn what transformers raises for a model that it cannot load into one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, LookupError, ImportError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(where, f"{name} cannot be loaded: {reason}") from error


@contextlib.contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Suppress what the libraries print while they load a model."""
    # A model that cannot be loaded is one line for the user; warnings would come before it.
    logs = transformers.utils.logging
    verbosity = logs.get_verbosity()
    logs.set_verbosity_error()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(verbosity)


def most_tokens(model: Any, tokenizer: Any) -> int:
    """Return the tokens that a model takes at once; very many where it declares no limit."""
    limits = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min(_UNBOUNDED, *(int(limit) for limit in limits if limit))


def batches(lengths: Sequence[int], size: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Yield the numbers of texts in batches, longest first; padded, a batch has `size` tokens."""
    # Texts of similar length share a batch, so that little of it is padding.
    order = sorted(range(len(lengths)), key=lambda text: -lengths[text])
    while order:
        # The first is the longest, so its length is that of every text of the batch once padded.
        count = max(1, size // max(1, lengths[order[0]]))
        yield order[:count]
        order = order[count:]
