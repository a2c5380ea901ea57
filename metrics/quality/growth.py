"""How much a rewrite adds to its source, and how many words each round adds."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.stats.means import Summary, summary
from autoevol.metrics.text.wording import content_words, words

LEAST_ADDED = 10
"""Fewest words that a round should add (arXiv 2406.00770, figure 2)."""

WORD_BUDGET = 20
"""Most added words that count: methods may add 10 to 20 words (paper, Fig. 2)."""


def added_by_round(chains: Sequence[Sequence[str]]) -> list[Summary]:
    """Return the words that each round adds, over the rows that reached it.

    Args:
        chains: For each seed its versions, the seed's own text first. A negative number of words
            was taken away; a round without words in one of its two versions is unscored.

    Returns:
        Round 1 first; rounds that no row reached, and those that no row has a number for, are not
        there.
    """
    counted = [words_added(chain) for chain in chains]
    last = max(map(len, counted), default=0)
    rounds = [[added[i] for added in counted if i < len(added)] for i in range(last)]
    return [found for found in map(summary, rounds) if found]


def within_budget(
    added: Iterable[float], *, least: int = LEAST_ADDED, most: int = WORD_BUDGET
) -> Estimate | None:
    """Return the share of rewrites that add `least` to `most` words, in [0, 1]; None: no rewrites.

    The published method asks for it and its published rewrites obey it in 29 of 96 rows.
    """
    found = [least <= words_added <= most for words_added in added]
    return share(sum(found), len(found))


def words_added(chain: Sequence[str]) -> list[float | None]:
    """Return the words that each version of a text has more than the one before it.

    Returns:
        One number fewer than versions; negative for words taken away, None where one of the two has
        no words.
    """
    counts = [len(words(text)) for text in chain]
    return [after - before if after and before else None for before, after in pairwise(counts)]


def added_words(source: str, evolved: str, *, cap: int = WORD_BUDGET) -> int:
    """Count the content words of `evolved` that `source` lacks.

    Returns:
        Words in [0, cap]; higher means more was added. The cap keeps bloat from paying.
    """
    return min(cap, len(content_words(evolved) - content_words(source)))
