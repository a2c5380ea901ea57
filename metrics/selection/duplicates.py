"""Rows of a set that repeat an earlier row, exactly or nearly."""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from datasketch import MinHash, MinHashLSH

from autoevol.metrics.text.wording import runs

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)*|[-+*/=<>^%×÷√$€₩#&|~]")
_MISSED, _FOUND_IN_VAIN = 0.995, 0.005
"""What the index weighs: a missed pair is lost, a pair found in vain is weeded out by a count."""
_MOST_THRESHOLD = 0.99
_MOST_JUDGED = 500
"""Of more candidates only the likeliest are judged: rows from one template are all alike."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A row that repeats an earlier one.

    Attributes:
        row: Its number.
        of: The number of the row that it repeats, which is none's copy itself.
        similarity: In (0, 1]; 1 is the same text, or the same runs of tokens.
    """

    row: int
    of: int
    similarity: float


def exact_copies(texts: Sequence[str]) -> list[Copy]:
    """Return the rows that say the same as an earlier row, in order, with the first that said it.

    Case, white space, Unicode composition and punctuation between words do not count; numbers and
    operators do, so that 3 + 4 and 3 - 4 differ. A text with nothing else (`???`) counts as it is.
    """
    first: dict[str, int] = {}
    pairs = ((row, first.setdefault(_same(text), row)) for row, text in enumerate(texts))
    return [Copy(row, of, 1.0) for row, of in pairs if of != row]


def near_copies(
    texts: Sequence[str],
    *,
    threshold: float = 0.7,
    size: int = 3,
    permutations: int = 128,
    seed: int = 1,
) -> list[Copy]:
    """Return the rows that nearly say the same as an earlier row, the exact copies among them.

    A row is held against earlier rows that are no copies themselves. Candidates come from MinHash
    and locality-sensitive hashing, and are then judged by their true Jaccard similarity, so no row
    is named in error; of pairs right at the threshold 1 in 70 is missed, 0.05 above it 1 in 500.

    Args:
        texts: Rows. One of fewer tokens than `size` is compared as a whole, an empty one only with
            empty ones.
        threshold: Least Jaccard similarity of the runs of tokens, in (0, 1]; 0.7 lets one changed
            word of twenty pass for a copy.
        size: Tokens (words, numbers, operators) of a run.
        permutations: Length of a signature; more find the pairs more surely, and cost time.
        seed: Of the permutations.

    Returns:
        In order of rows; each with the most similar row among the candidates, of equals the first.

    Raises:
        ValueError: `threshold` is not in (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], got {threshold}")
    copies = {copy.row: copy for copy in exact_copies(texts)}
    originals = [row for row in range(len(texts)) if row not in copies]
    shingles = {row: _shingles(texts[row], size) for row in originals if _tokens(texts[row])}
    index = _Index(len(texts), threshold, permutations)
    for row, signature in _signatures(shingles, permutations, seed):
        mine = shingles[row]
        near = _most_similar(mine, {other: shingles[other] for other in index.likely(signature)})
        if near and near[1] >= threshold:
            copies[row] = Copy(row, *near)
        else:
            index.add(row, signature)
    return _settled(copies)


class _Index:
    """The rows that are no copies, to be found by their signatures."""

    def __init__(self, rows: int, threshold: float, permutations: int) -> None:
        self._index = MinHashLSH(
            threshold=min(threshold, _MOST_THRESHOLD),
            num_perm=permutations,
            weights=(_FOUND_IN_VAIN, _MISSED),
        )
        self._values = np.empty((rows, permutations), dtype=np.uint32)

    def add(self, row: int, signature: MinHash) -> None:
        self._index.insert(row, signature)
        self._values[row] = signature.hashvalues

    def likely(self, signature: MinHash) -> list[int]:
        """Return the rows that may be near, in order, the likeliest alone where there are many."""
        found = sorted(self._index.query(signature))
        if len(found) <= _MOST_JUDGED:
            return found
        equal = (self._values[found] == signature.hashvalues).sum(axis=1)
        likeliest = np.argsort(-equal, kind="stable")[:_MOST_JUDGED]
        return [found[place] for place in sorted(likeliest.tolist())]


def _settled(copies: dict[int, Copy]) -> list[Copy]:
    """Return the copies in order; an exact copy of a near copy names what that one repeats."""
    ends = (
        Copy(copy.row, copies[copy.of].of, copies[copy.of].similarity)
        if copy.of in copies
        else copy
        for copy in copies.values()
    )
    return sorted(ends, key=lambda copy: copy.row)


def _signatures(
    shingles: Mapping[int, frozenset[str]], permutations: int, seed: int
) -> Iterator[tuple[int, MinHash]]:
    encoded = ([run.encode() for run in held] for held in shingles.values())
    signatures = MinHash.generator(encoded, num_perm=permutations, seed=seed, hashfunc=zlib.crc32)
    return zip(shingles, signatures, strict=True)


def _most_similar(
    mine: frozenset[str], others: Mapping[int, frozenset[str]]
) -> tuple[int, float] | None:
    found = [(row, len(mine & theirs) / len(mine | theirs)) for row, theirs in others.items()]
    return max(found, key=lambda pair: pair[1], default=None)


def _shingles(text: str, size: int) -> frozenset[str]:
    tokens = _tokens(text)
    return frozenset(runs(tokens, min(size, len(tokens))))


def _same(text: str) -> str:
    return " ".join(_tokens(text)) or f" {text.strip()}"


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())
