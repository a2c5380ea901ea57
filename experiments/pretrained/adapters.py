"""LoRA adapters: which model one belongs to, and the model with it."""

import json
import os
import warnings
from pathlib import Path
from typing import Any

from autoevol.experiments.pretrained.loading import libraries, load_errors, quiet
from autoevol.program.errors import ConfigError

ADAPTER, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
NEAR = "base_model.txt"
"""The way from an adapter's folder to its model's, where that is one on this machine."""


def is_adapter(name: str) -> bool:
    """Tell whether a name is the folder of a LoRA adapter."""
    return (Path(name).expanduser() / ADAPTER).is_file()


def base_of(folder: Path, where: str) -> str:
    """Return the model that an adapter belongs to, as its file names it.

    A model in a folder of a project that was moved as a whole is found, too.

    Raises:
        ConfigError: The file names none.
    """
    name = base_name(folder, where)
    near = folder / NEAR
    way = near.read_text("utf-8").strip() if near.is_file() else ""
    return str((folder / way).resolve()) if way and (folder / way).is_dir() else name


def base_name(folder: Path, where: str) -> str:
    """Return the model that an adapter's file names.

    Raises:
        ConfigError: It names none.
    """
    try:
        base = json.loads((folder / ADAPTER).read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(where, f"{folder / ADAPTER} names no model: {error}") from error
    if not base or not isinstance(base, str):
        raise ConfigError(where, f"{folder / ADAPTER}: base_model_name_or_path names no model")
    return base


def name_base(folder: Path, model: str) -> None:
    """Name in an adapter's file the model that it was trained on, so that any folder finds it.

    Args:
        folder: Of the adapter; nothing happens if there is none in it.
        model: As the user wrote it. PEFT knows a relative path, and of shipped weights the folder.
    """
    file = folder / ADAPTER
    if not file.is_file():
        return
    is_local = model.startswith("local/")
    path = Path(model.removeprefix("local/") if is_local else model).expanduser()
    if is_local and path.is_file():
        model = f"local/{path.resolve()}"
    elif not is_local and path.is_dir():
        model = str(path.resolve())
        way = os.path.relpath(path.resolve(), folder.resolve())
        (folder / NEAR).write_text(f"{way}\n", encoding="utf-8")
    settings = {**json.loads(file.read_text("utf-8")), "base_model_name_or_path": model}
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def with_adapter(model: Any, folder: Path, where: str, *, is_trainable: bool = False) -> Any:
    """Return a model with an adapter's matrices beside its weights.

    Raises:
        ConfigError: PEFT is not installed, or the adapter cannot be read or belongs to another
            model.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ConfigError(
            where, f"{folder} is a LoRA adapter, which needs peft: pip install 'autoevol[train]'"
        ) from error
    # PEFT reads a pickle where there is nothing else.
    if not (folder / ADAPTER_WEIGHTS).is_file():
        raise ConfigError(where, f"{folder} has no {ADAPTER_WEIGHTS}; pickles are not read")
    _, transformers = libraries(str(folder), where)
    with (
        quiet(transformers),
        load_errors(str(folder), where),
        warnings.catch_warnings(record=True) as heard,
    ):
        warnings.simplefilter("always")
        adapted = PeftModel.from_pretrained(
            model, str(folder), use_safetensors=True, is_trainable=is_trainable
        )
    # PEFT fills what is missing with its first values: such an adapter does nothing.
    if any("missing adapter keys" in str(warning.message).lower() for warning in heard):
        raise ConfigError(where, f"{folder} does not fit its model: adapter weights are missing")
    return adapted


def adapter_tokenizer(folder: Path, base: Any, where: str) -> Any:
    """Return the tokenizer that lies beside an adapter, with the template that it was trained on.

    Args:
        folder: Of the adapter.
        base: The tokenizer of the adapter's model, which serves where the folder has none.
        where: What names it, for messages.

    Raises:
        ConfigError: It cannot be loaded.
    """
    if not any(folder.glob("tokenizer*")):
        return base
    _, transformers = libraries(str(folder), where)
    with quiet(transformers), load_errors(str(folder), where):
        return transformers.AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
