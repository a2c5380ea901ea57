"""Texts to vectors: a static model that comes inside its wheel, or sentence-transformers."""

import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoevol.experiments.config.scores import STATIC
from autoevol.metrics.quality.neighbours import Search
from autoevol.program.errors import ConfigError

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


_LISTS = 4
"""Lists for each square root of the rows (faiss's own advice)."""

_PROBED = 32
"""One list in so many is looked through."""

_TRAINED = 40
"""Rows for each list that its centre is made from."""


def index_search() -> Search | None:
    """Return faiss's search; None: it is not installed, and every pair is compared."""
    return inverted_lists if importlib.util.find_spec("faiss") else None


def inverted_lists(
    vectors: NDArray[np.floating], count: int
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Return squared distances and row numbers (rows, count) of likely nearest rows.

    Rows lie in lists by the nearest of 4·√rows centres; a row's neighbours are looked for in the
    32nd part of the lists whose centres are nearest to it.
    """
    import faiss

    held = np.ascontiguousarray(vectors, dtype=np.float32)
    lists = max(1, round(_LISTS * math.sqrt(len(held))))
    index: Any = faiss.IndexIVFFlat(faiss.IndexFlatL2(held.shape[1]), held.shape[1], lists)
    drawn = np.random.default_rng(0).permutation(len(held))[: _TRAINED * lists]
    index.train(held[drawn])
    index.add(held)
    index.nprobe = max(1, lists // _PROBED)
    distances, rows = index.search(held, count)
    return distances, rows
