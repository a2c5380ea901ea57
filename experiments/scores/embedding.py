"""Texts to unit vectors, and an index for the nearest neighbours of very many of them."""

import importlib.util
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoevol.experiments.config.scoring.scores import STATIC
from autoevol.metrics.quality.neighbours import Search
from autoevol.program.errors import ConfigError

UnitVectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], UnitVectors]
"""Texts to unit vectors, a row for each text; shape (texts, dimensions)."""

_LISTS = 4
"""Lists for each square root of the rows (faiss's own advice)."""

_PROBED = 32
"""One of so many lists is searched."""

# faiss warns below 39 points for each centre.
_TRAINED = 40
"""Rows for each list that its centre is computed from."""


def embedder(name: str, where: str) -> Embed:
    """Return an embedding model as a function of texts.

    Args:
        name: `static`, or a sentence-transformers model: a name of the hub or a folder.
        where: The key that names it, for the error.

    Raises:
        ConfigError: The model cannot be loaded, or its library is not installed.
    """
    return _static() if name == STATIC else _transformer(name, where)


def _static() -> Embed:
    import wordllama

    # The wheel holds these weights; by default the library would look for them in its own cache.
    folder = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(dim=256, cache_dir=folder, disable_download=True)
    return lambda texts: np.asarray(model.embed(list(texts), norm=True), dtype=np.float32)


def _transformer(name: str, where: str) -> Embed:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ConfigError(
            where, f"{name} needs sentence-transformers: install it, or name {STATIC} here"
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


def index_search() -> Search | None:
    """Return faiss's search; None: faiss is not installed, and every pair is compared."""
    return inverted_lists if importlib.util.find_spec("faiss") else None


def inverted_lists(
    vectors: NDArray[np.floating], count: int
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Return squared distances and row numbers (rows, count) of likely nearest rows.

    Rows are stored in lists by the nearest of 4·√rows centres. A row's neighbours are searched in
    the 32nd part of the lists, those with the nearest centres.
    """
    import faiss

    points = np.ascontiguousarray(vectors, dtype=np.float32)
    lists = max(1, round(_LISTS * math.sqrt(len(points))))
    index: Any = faiss.IndexIVFFlat(faiss.IndexFlatL2(points.shape[1]), points.shape[1], lists)
    # A fixed seed: scoring the same rows again gives the same centres and the same distances.
    sample = np.random.default_rng(0).permutation(len(points))[: _TRAINED * lists]
    index.train(points[sample])
    index.add(points)
    index.nprobe = max(1, lists // _PROBED)
    distances, rows = index.search(points, count)
    return distances, rows
