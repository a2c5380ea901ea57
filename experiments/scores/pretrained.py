"""Models of `transformers` in this process: found, loaded in silence, and checked.

torch and transformers are an extra (`autoevol[scores]`); they are imported when a model is loaded.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autoevol.experiments.models.local.weights import SHIPPED, pull
from autoevol.experiments.models.settings import local_path
from autoevol.program.errors import ConfigError, WeightsError

EXTRA = "pip install 'autoevol[scores]'"
_UNBOUNDED = 1 << 20
"""Tokens above which a tokenizer's or a model's limit only says that it knows none."""

BATCH_TOKENS = 1024
"""Tokens of a batch with its padding; a longer text is a batch of its own."""

Tokens = tuple[int, ...]
Task = Literal["AutoModelForCausalLM", "AutoModelForSequenceClassification"]
_WHAT: dict[Task, str] = {
    "AutoModelForCausalLM": "causal language model",
    "AutoModelForSequenceClassification": "sequence classifier",
}


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A model with its tokenizer, ready to be asked.

    Attributes:
        model: Of transformers, in evaluation mode.
        tokenizer: Its own.
        device: Where the model is.
        most: Tokens that it takes at once.
    """

    model: Any
    tokenizer: Any
    device: str
    most: int

    def padded(self, texts: Sequence[Tokens], pad: int) -> tuple[Any, Any]:
        """Return ids and attention mask, (texts, longest); `pad` fills the end of shorter texts."""
        import torch

        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[pad] * (longest - len(text))] for text in texts])
        lengths = torch.tensor([len(text) for text in texts])
        mask = (torch.arange(longest) < lengths[:, None]).long()
        return ids.to(self.device), mask.to(self.device)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where transformers finds a model: a name of the hub or a folder, and options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


def load(name: str, task: Task, where: str) -> Pretrained:
    """Return a model, on the GPU where torch sees one, else in single precision on the CPU.

    Args:
        name: `local/NAME` of the shipped weights, `local/PATH.gguf`, a folder, a name of the hub.
        task: What the model must have been made for.
        where: The key that named it, for errors.

    Raises:
        ConfigError: The extra is not installed, or the model is not there or another kind of model.
    """
    torch, transformers = _libraries(name, where)
    place = _place(name, where)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.float32 if device == "cpu" else "auto"
    with _silence(transformers), _explained(name, where):
        tokenizer = transformers.AutoTokenizer.from_pretrained(place.name, **place.options)
        model, told = getattr(transformers, task).from_pretrained(
            place.name, dtype=dtype, output_loading_info=True, **place.options
        )
        model.to(device).eval()
    if told["missing_keys"]:
        missing = sorted(told["missing_keys"])[0]
        raise ConfigError(where, f"{name} is no {_WHAT[task]}: it has no weights for {missing}")
    return Pretrained(model, tokenizer, device, _most(model, tokenizer))


def _libraries(name: str, where: str) -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ConfigError(
            where, f"{name} needs torch and transformers: {EXTRA} (docs/scores.md, The extra)"
        ) from error
    return torch, transformers


def _place(name: str, where: str) -> _Place:
    if name.startswith("local/"):
        file = _gguf(name, where)
        options = {"gguf_file": file.name, "local_files_only": True}
        return _Place(str(file.parent), options)
    folder = Path(name).expanduser()
    return _Place(str(folder), {"local_files_only": True}) if folder.is_dir() else _Place(name)


def _gguf(name: str, where: str) -> Path:
    short = name.removeprefix("local/")
    try:
        file = pull(SHIPPED[short]) if short in SHIPPED else local_path(name)
    except WeightsError as error:
        raise ConfigError(where, str(error)) from error
    if file is None or file.suffix != ".gguf":
        known = ", ".join(SHIPPED)
        raise ConfigError(where, f"unknown local model {short!r}; there are {known}, PATH.gguf")
    if not file.is_file():
        raise ConfigError(where, f"no such file: {file}")
    return file


@contextlib.contextmanager
def _explained(name: str, where: str) -> Iterator[None]:
    """Turn what transformers raises for a model that it cannot load into one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, LookupError, ImportError, RuntimeError, SafetensorError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(where, f"{name} cannot be loaded: {reason}") from error


@contextlib.contextmanager
def _silence(transformers: Any) -> Iterator[None]:
    """Keep back what the libraries print while they load."""
    logs = transformers.utils.logging
    before = logs.get_verbosity()
    logs.set_verbosity_error()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(before)


def _most(model: Any, tokenizer: Any) -> int:
    """Return the tokens that a model takes at once; without a limit of its own, very many."""
    known = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min(_UNBOUNDED, *(int(limit) for limit in known if limit))


def batches(lengths: Sequence[int], size: int = BATCH_TOKENS) -> Iterator[list[int]]:
    """Yield the numbers of texts of like length, longest first; padded they have `size` tokens."""
    order = sorted(range(len(lengths)), key=lambda text: -lengths[text])
    while order:
        count = max(1, size // max(1, lengths[order[0]]))
        yield order[:count]
        order = order[count:]
