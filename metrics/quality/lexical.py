"""How varied the words of a set are, without a model: distinct n-grams, compression, lengths.

All figures depend on how much text there is, so only sets of equal size compare.
"""

import zlib
from collections.abc import Iterable

from autoevol.metrics.text.wording import runs, words

_LEVEL = 9


def distinct(texts: Iterable[str], size: int) -> float | None:
    """Return the share of n-grams that are the only one of their kind, counted once (distinct-n).

    Args:
        texts: Rows; no n-gram reaches from one into the next.
        size: Words of an n-gram; 1, 2 and 3 are customary.

    Returns:
        Different n-grams / all n-grams, in (0, 1]; higher means more varied. None: no text has
        `size` words.

    Raises:
        ValueError: `size` is below 1.

    Source: arXiv 1510.03055; like every ratio of types to tokens it falls as a set
    grows.
    """
    if size < 1:
        raise ValueError(f"an n-gram has at least one word, got {size}")
    total, kinds = 0, set[str]()
    for text in texts:
        found = list(runs(words(text), size))
        total += len(found)
        kinds.update(found)
    return len(kinds) / total if total else None


def compression_ratio(texts: Iterable[str]) -> float | None:
    """Return how many times smaller the texts become when they are deflated as one, by lines.

    Returns:
        Bytes of UTF-8 / compressed bytes, above 0; higher means more repetitive. A few short texts
        stay below 1, as the format has a cost of its own. None: there is no text.

    Source: arXiv 2403.00553 (there by gzip, whose header adds 12 bytes). The window is
    32 KiB: what comes back later than that counts as new, so order matters a little.
    """
    deflate = zlib.compressobj(_LEVEL)
    read = written = 0
    for text in texts:
        line = f"{text}\n".encode(errors="replace")
        read += len(line) if text else 0
        written += len(deflate.compress(line if text else b""))
    return read / (written + len(deflate.flush())) if read else None


def lengths(texts: Iterable[str]) -> list[int]:
    """Return the words of each text."""
    return [len(words(text)) for text in texts]
