"""How much the texts of a set differ from one another."""

from collections.abc import Mapping

from autoevol.metrics.text.wording import content_words


def distances(texts: Mapping[str, str]) -> dict[str, float]:
    """Return for each text how far it is from its nearest neighbour in the set.

    Returns:
        By the texts' keys: 1 - Jaccard's similarity of the content words, in [0, 1]; higher means
        more diverse, 0 a copy. A text without a neighbour is 1 away.
    """
    held = {key: content_words(text) for key, text in texts.items()}
    return {
        key: 1.0
        - max(
            (_similarity(mine, theirs) for other, theirs in held.items() if other != key),
            default=0.0,
        )
        for key, mine in held.items()
    }


def _similarity(first: set[str], second: set[str]) -> float:
    joined = len(first | second)
    return len(first & second) / joined if joined else 1.0
