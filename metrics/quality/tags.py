"""Complexity and diversity by intention tags (InsTag): normalise, merge, cut, count.

Source: arXiv 2308.07074 (InsTag), whose normalisation was never released; ours has the same steps
(frequency, rules, meaning). The tags of a row are a tuple; None is a row whose tags could not be
read: unscored, and left out of every figure.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import numpy as np

from autoevol.metrics.quality.neighbours import Vectors, unit
from autoevol.metrics.text.wording import plain, words

Tags = tuple[str, ...]

Merge = Callable[[Sequence[str]], Sequence[Hashable]]
"""Takes distinct tags, commonest first, and returns a label for each; equal labels are merged."""

Embed = Callable[[Sequence[str]], Vectors]
"""Takes texts, returns vectors (texts, width)."""

_WORD = re.compile(r"[^\W_]+[+#]*")
"""C, C++ and C# are three words."""

_VOWELS = frozenset("aeiouy")
_DOUBLED = frozenset("bdgmnprt")


def spelled_alike(tags: Sequence[str]) -> list[str]:
    """Merge tags that differ in case, punctuation, or an English plural, -ing or final -e (-y).

    Words in letters other than a to z stay as they are, Korean ones among them.
    """
    return [" ".join(map(_stem, _WORD.findall(plain(tag).casefold()))) for tag in tags]


def labelled(labels: Mapping[str, Hashable]) -> Merge:
    """Return a merge by given labels; a tag without a label stays on its own."""
    return lambda tags: [labels.get(tag, (tag,)) for tag in tags]


def alike(embed: Embed, *, least: float = 0.9) -> Merge:
    """Return a merge by meaning.

    Tags come commonest first. Each joins the most similar group leader before it, or becomes the
    leader of a new group.

    Args:
        embed: Returns the tags' vectors; a tag without a direction (zero, nan) stays on its own.
        least: Cosine similarity from which two tags are merged, in [-1, 1].
    """

    def merge(tags: Sequence[str]) -> list[Hashable]:
        vectors = unit(embed(tags)) if tags else np.empty((0, 1))
        leaders = list[int]()
        labels = list[Hashable]()
        for number, vector in enumerate(vectors):
            closeness = vectors[leaders] @ vector
            best = int(closeness.argmax()) if leaders else 0
            if leaders and closeness[best] >= least:
                labels.append(leaders[best])
                continue
            labels.append(number)
            # A nan leader would win every later argmax in numpy, and nothing more would merge.
            if np.isfinite(vector).all():
                leaders.append(number)
        return labels

    return merge


def merged(rows: Sequence[Tags | None], merge: Merge) -> list[Tags | None]:
    """Return the rows with each tag replaced by the commonest tag of its label.

    A row has each tag once, in the order of its first mention. Of equally common tags the one
    mentioned first represents the label. Tags without a word are dropped.
    """
    counts = _rows_by_tag(rows)
    tags = [tag for tag, _ in counts.most_common() if words(tag)]
    first: dict[Hashable, str] = {}
    name = {tag: first.setdefault(label, tag) for tag, label in zip(tags, merge(tags), strict=True)}
    return [
        _unique(name[tag] for tag in row if tag in name) if row is not None else None
        for row in rows
    ]


def frequent(rows: Sequence[Tags | None], *, least: int) -> list[Tags | None]:
    """Return the rows without the tags that fewer than `least` rows have."""
    counts = _rows_by_tag(rows)
    return [
        _unique(tag for tag in row if counts[tag] >= least) if row is not None else None
        for row in rows
    ]


def complexity(rows: Sequence[Tags | None]) -> float | None:
    """Return the mean number of different tags of a row; higher means more demands at once.

    None: no row was tagged. Source: InsTag; arXiv 2406.00770, table 4, where 100 rows have 2.7 to
    5.5.
    """
    scored = [len(set(row)) for row in rows if row is not None]
    return sum(scored) / len(scored) if scored else None


def diversity(rows: Sequence[Tags | None], *, sample: int = 100) -> float | None:
    """Return the number of different tags per row, expected in a sample of `sample` rows.

    Table 4 of arXiv 2406.00770 gives a "number of unique tags per item" of 100 rows that is smaller
    than its number of tags per item (2.20 against 5.54). So it can only be the different tags of
    the whole set divided by its rows, as here. It falls as sets grow, hence the fixed sample. The
    sample is not drawn: its expectation is computed exactly (rarefaction, Hurlbert 1971). A tag
    that n of N rows have is missed with probability C(N - n, sample) / C(N, sample).

    Args:
        rows: Of merged tags.
        sample: Rows of the sample; a smaller set is used as a whole, and compares only with sets
            of its size.

    Returns:
        At least 0; higher means more diverse. None: no row was tagged.

    Raises:
        ValueError: `sample` is below 1.
    """
    if sample < 1:
        raise ValueError(f"a sample has at least one row, got {sample}")
    whole = sum(row is not None for row in rows)
    drawn = min(sample, whole)
    if not drawn:
        return None
    samples = math.comb(whole, drawn)
    # Tags of equal count share a term, so the large binomials are computed once for each count.
    tags_by_count = Counter(_rows_by_tag(rows).values())
    expected = math.fsum(
        # Python divides whole numbers of any size; as floats a large set's binomials overflow.
        tags * (1 - math.comb(whole - count, drawn) / samples)
        for count, tags in tags_by_count.items()
    )
    return expected / drawn


def coverage(sample: Iterable[Tags | None], corpus: Iterable[Tags | None]) -> float | None:
    """Return the share of the corpus' tags that the sample has, in [0, 1]; higher is better.

    InsTag itself calls this diversity. None: the corpus has no tags.
    """
    corpus_tags = {tag for row in corpus for tag in row or ()}
    sample_tags = {tag for row in sample for tag in row or ()}
    return len(corpus_tags & sample_tags) / len(corpus_tags) if corpus_tags else None


def _rows_by_tag(rows: Iterable[Tags | None]) -> Counter[str]:
    return Counter(tag for row in rows for tag in dict.fromkeys(row or ()))


def _unique(tags: Iterable[str]) -> Tags:
    return tuple(dict.fromkeys(tags))


def _stem(word: str) -> str:
    """Return a key that the inflections of an English word share; it need not be a word."""
    if not word.isascii() or not word.isalpha():
        return word
    stem = _without_ing(_without_plural(word))
    if len(stem) > 3 and stem.endswith("y") and stem[-2] not in _VOWELS:
        return f"{stem[:-1]}i"
    return stem[:-1] if len(stem) > 3 and stem.endswith("e") else stem


def _without_plural(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}i"
    # "analysis" is cut to "analys", where "analyses" arrives without its s and e.
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zzes", "sis")):
        return word[:-2]
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word


def _without_ing(word: str) -> str:
    stem = word[:-3]
    if not word.endswith("ing") or len(stem) < 3 or not _VOWELS.intersection(stem):
        return word
    # "programming" meets "program" without the second m; "spelling" and "adding" need theirs.
    is_doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] in _DOUBLED
    return stem[:-1] if is_doubled else stem
