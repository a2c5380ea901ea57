"""Growth: the words that a rewrite adds to its source, and that each round adds."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.stats.means import Summary, summary
from autoevol.metrics.text.wording import content_words, words

LEAST_ADDED = 10
"""Fewest words that a rewrite should add (arXiv 2406.00770, figure 2)."""

WORD_BUDGET = 20
"""Most words that a rewrite should add (arXiv 2406.00770, figure 2)."""


def added_by_round(chains: Sequence[Sequence[str]]) -> list[Summary]:
    """Return the words that each round adds, over the rows that reached it.

    Args:
        chains: The versions of each seed, the seed's own text first. A round that removes words
            adds a negative number; one with an empty version before or after it is unscored.

    Returns:
        Round 1 first, without the rounds that no row reached or that are unscored in all rows.
    """
    counted = [words_added(chain) for chain in chains]
    last = max(map(len, counted), default=0)
    rounds = [[added[i] for added in counted if i < len(added)] for i in range(last)]
    return [figures for figures in map(summary, rounds) if figures]


def within_budget(
    added: Iterable[float], *, least: int = LEAST_ADDED, most: int = WORD_BUDGET
) -> Estimate | None:
    """Return the share of rewrites that add `least` to `most` words, in [0, 1]; None: no rewrites.

    The published method asks for it; its published rewrites comply in 29 of 96 rows.
    """
    is_within = [least <= count <= most for count in added]
    return share(sum(is_within), len(is_within))


def words_added(chain: Sequence[str]) -> list[float | None]:
    """Return how many more words each version of a text has than the version before it.

    Returns:
        One number fewer than versions; negative if words were removed, None if one of the two
        versions has no words.
    """
    counts = [len(words(text)) for text in chain]
    # The growth from or to an empty version would be that of a whole text, and distort the mean.
    return [after - before if after and before else None for before, after in pairwise(counts)]


def added_words(source: str, evolved: str, *, cap: int = WORD_BUDGET) -> int:
    """Count the content words of `evolved` that `source` lacks.

    Returns:
        Words in [0, cap]; higher means more was added. The cap gives bloat no advantage.
    """
    return min(cap, len(content_words(evolved) - content_words(source)))
