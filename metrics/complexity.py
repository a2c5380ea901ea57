"""How much a rewrite adds to its source: the secondary score of the search."""

from metrics.wording import content_words

WORD_BUDGET = 20
"""Most added words that count: methods may add 10 to 20 words (paper, Fig. 2)."""


def added_words(source: str, evolved: str, *, cap: int = WORD_BUDGET) -> int:
    """Count the content words of `evolved` that `source` lacks.

    Returns:
        Words in [0, cap]; higher means more was added. The cap keeps bloat from paying.
    """
    return min(cap, len(content_words(evolved) - content_words(source)))
