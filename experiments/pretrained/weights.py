"""The hash of what makes a model write as it does."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from autoevol.experiments.models.local.digests import recorded_sha256
from autoevol.experiments.models.local.weights import cache_folder
from autoevol.experiments.pretrained.adapters import base_name, base_of, is_adapter

_WEIGHT_FILES = ("*.safetensors", "*config.json", "tokenizer*", "*.jinja", "vocab*", "merges.txt")


def weights_digest(model: str) -> str:
    """Return the hash of what makes a model write as it does; "": its files are not here.

    Weights, tokenizer and chat template; of an adapter those of its model, too.
    """
    short = model.removeprefix("local/") if model.startswith("local/") else ""
    if short.endswith(".gguf"):
        return _digest([Path(short).expanduser()])
    folder = Path(model).expanduser()
    if short or not folder.is_dir():
        return ""
    files = [file for pattern in _WEIGHT_FILES for file in folder.glob(pattern)]
    if not is_adapter(model):
        return _digest(files, "", "")
    base = base_of(folder, model)
    # By the name in the file, which stays where a project is moved.
    name = base_name(folder, model)
    return _digest(files, name, weights_digest(base) if base != model else "")


def _digest(files: Sequence[Path], *others: str) -> str:
    records = cache_folder() / "digests"
    digests = sorted(
        {file.name: recorded_sha256(file, records) for file in files if file.is_file()}.items()
    )
    return hashlib.sha256(json.dumps([digests, *others]).encode()).hexdigest()[:32]
