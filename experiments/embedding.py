"""Texts to vectors: a static model that comes inside its wheel, or sentence-transformers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.scores_config import STATIC
from program.errors import ConfigError

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]
"""Texts to unit vectors, a row each; shape (texts, dimensions)."""


def embedder(name: str, where: str) -> Embed:
    """Return what makes vectors of texts.

    Args:
        name: `static`, or a sentence-transformers model: a name of the hub or a folder.
        where: The key that named it, for the error.

    Raises:
        ConfigError: The model is not there, or its library is not installed.
    """
    return _static() if name == STATIC else _transformer(name, where)


def _static() -> Embed:
    import wordllama

    inside = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(dim=256, cache_dir=inside, disable_download=True)
    return lambda texts: np.asarray(model.embed(list(texts), norm=True), dtype=np.float32)


def _transformer(name: str, where: str) -> Embed:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            where, f"{name} needs sentence-transformers, which is not installed; or say {STATIC}"
        ) from error
    try:
        model: Any = SentenceTransformer(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(where, f"{name} cannot be loaded: {reason}") from error
    return lambda texts: np.asarray(
        model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False),
        dtype=np.float32,
    )
