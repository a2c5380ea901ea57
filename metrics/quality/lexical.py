"""Lexical variety without a model: distinct n-grams, compression, lengths, distances.

All figures depend on the amount of text, so only sets of equal size compare.
"""

import zlib
from collections.abc import Iterable, Mapping

from autoevol.metrics.text.wording import content_words, runs, words

_LEVEL = 9


def distinct(texts: Iterable[str], size: int) -> float | None:
    """Return the number of different n-grams divided by the number of all n-grams (distinct-n).

    Args:
        texts: Rows; no n-gram crosses from one into the next.
        size: Words of an n-gram; 1, 2 and 3 are customary.

    Returns:
        In (0, 1]; higher means more varied. None: no text has `size` words.

    Raises:
        ValueError: `size` is below 1.

    Source: arXiv 1510.03055; like every type-token ratio it falls as a set grows.
    """
    if size < 1:
        raise ValueError(f"an n-gram has at least one word, got {size}")
    total, distinct_runs = 0, set[str]()
    for text in texts:
        text_runs = list(runs(words(text), size))
        total += len(text_runs)
        distinct_runs.update(text_runs)
    return len(distinct_runs) / total if total else None


def compression_ratio(texts: Iterable[str]) -> float | None:
    """Return the compression ratio of the texts, deflated as one file with a text a line.

    Returns:
        Bytes of UTF-8 / compressed bytes, above 0; higher means more repetitive. A few short texts
        are below 1, because the format has overhead. None: there is no text.

    Source: arXiv 2403.00553 (there by gzip, whose header adds 12 bytes). The window is 32 KiB: text
    repeated after that counts as new, so order matters a little.
    """
    deflate = zlib.compressobj(_LEVEL)
    read = written = 0
    for text in texts:
        # JSON may hold half of a surrogate pair, which UTF-8 cannot encode.
        line = f"{text}\n".encode(errors="replace")
        read += len(line) if text else 0
        written += len(deflate.compress(line if text else b""))
    return read / (written + len(deflate.flush())) if read else None


def lengths(texts: Iterable[str]) -> list[int]:
    """Return the number of words of each text."""
    return [len(words(text)) for text in texts]


def distances(texts: Mapping[str, str]) -> dict[str, float]:
    """Return each text's lexical distance to its nearest neighbour in the set.

    Returns:
        By the texts' keys: 1 - Jaccard similarity of the content words, in [0, 1]; higher is more
        diverse, 0 is a copy. The only text of a set has distance 1.
    """
    # All pairs are compared: the sets are the few dev rows by which a search breaks ties.
    words_by_key = {key: content_words(text) for key, text in texts.items()}
    return {
        key: 1.0
        - max(
            (_jaccard(own, other) for name, other in words_by_key.items() if name != key),
            default=0.0,
        )
        for key, own in words_by_key.items()
    }


def _jaccard(first: set[str], second: set[str]) -> float:
    union = len(first | second)
    return len(first & second) / union if union else 1.0
