"""Exact and near duplicates: rows that repeat an earlier row of the set."""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoevol.metrics.text.wording import runs

# It loads SciPy, a third of a second that a run without duplicates to look for does without.
if TYPE_CHECKING:
    from datasketch import MinHash

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’][^\W_]+)*|[-+*/=<>^%×÷√$€₩#&|~]")
_MISS_WEIGHT, _FALSE_HIT_WEIGHT = 0.995, 0.005
"""Of the index: a missed pair is lost, a false candidate is sorted out by its true similarity."""
# datasketch needs two bands; close to 1 its best choice for our weights is one, and it raises.
# The true similarity decides later, so a looser index loses nothing.
_MOST_THRESHOLD = 0.99
_MOST_CANDIDATES = 500
"""Of more candidates only the likeliest are compared: rows from one template are all alike."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A row that repeats an earlier one.

    Attributes:
        row: Its number.
        of: Number of the row that it repeats; that row is never a copy itself.
        similarity: In (0, 1]; 1 means the same text or the same runs of tokens.
    """

    row: int
    of: int
    similarity: float


def exact_copies(texts: Sequence[str]) -> list[Copy]:
    """Return the rows with the same text as an earlier row, in order, with the first such row.

    Case, white space, Unicode composition and punctuation between words do not count; numbers and
    operators do, so 3 + 4 and 3 - 4 differ. A text of punctuation only (`???`) is compared as is.
    """
    first: dict[str, int] = {}
    pairs = ((row, first.setdefault(_key(text), row)) for row, text in enumerate(texts))
    return [Copy(row, of, 1.0) for row, of in pairs if of != row]


def near_copies(
    texts: Sequence[str],
    *,
    threshold: float = 0.7,
    size: int = 3,
    permutations: int = 128,
    seed: int = 1,
) -> list[Copy]:
    """Return the exact and near copies of earlier rows.

    A row is compared with earlier rows that are not copies themselves. MinHash with
    locality-sensitive hashing finds candidates; their true Jaccard similarity decides, so there are
    no false copies. Of pairs right at the threshold 1 in 70 is missed, 0.05 above it 1 in 500.

    Args:
        texts: Rows. One of fewer tokens than `size` is compared as a whole, an empty one only with
            other empty ones.
        threshold: Least Jaccard similarity of the runs of tokens, in (0, 1]; at 0.7 a text of
            twenty words with one of them changed is a copy.
        size: Tokens (words, numbers, operators) of a run.
        permutations: Length of a signature; more miss fewer pairs, and cost time.
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
        candidates = {other: shingles[other] for other in index.candidates(signature)}
        near = _most_similar(shingles[row], candidates)
        if near and near[1] >= threshold:
            copies[row] = Copy(row, *near)
        else:
            index.add(row, signature)
    return _resolved(copies)


class _Index:
    """The rows that are not copies, searchable by signature."""

    def __init__(self, rows: int, threshold: float, permutations: int) -> None:
        from datasketch import MinHashLSH

        self._index = MinHashLSH(
            threshold=min(threshold, _MOST_THRESHOLD),
            num_perm=permutations,
            weights=(_FALSE_HIT_WEIGHT, _MISS_WEIGHT),
        )
        self._values = np.empty((rows, permutations), dtype=np.uint32)

    def add(self, row: int, signature: "MinHash") -> None:
        self._index.insert(row, signature)
        self._values[row] = signature.hashvalues

    def candidates(self, signature: "MinHash") -> list[int]:
        """Return the rows that may be near, in order; of too many only the likeliest."""
        # datasketch returns them in any order; sorted, of equally similar rows the earliest wins.
        rows = sorted(self._index.query(signature))
        if len(rows) <= _MOST_CANDIDATES:
            return rows
        # The share of equal hash values estimates the Jaccard similarity.
        equal = (self._values[rows] == signature.hashvalues).sum(axis=1)
        likeliest = np.argsort(-equal, kind="stable")[:_MOST_CANDIDATES]
        return [rows[index] for index in sorted(likeliest.tolist())]


def _resolved(copies: dict[int, Copy]) -> list[Copy]:
    """Return the copies in order; an exact copy of a near copy names the row that this one repeats.

    The exact copies were found first, when it was not yet known which rows are near copies.
    """
    resolved = (
        Copy(copy.row, copies[copy.of].of, copies[copy.of].similarity)
        if copy.of in copies
        else copy
        for copy in copies.values()
    )
    return sorted(resolved, key=lambda copy: copy.row)


def _signatures(
    shingles: Mapping[int, frozenset[str]], permutations: int, seed: int
) -> Iterator[tuple[int, "MinHash"]]:
    from datasketch import MinHash

    # CRC-32 hashes the same in every process; Python's own hash of a string does not.
    encoded = ([run.encode() for run in row_runs] for row_runs in shingles.values())
    signatures = MinHash.generator(encoded, num_perm=permutations, seed=seed, hashfunc=zlib.crc32)
    return zip(shingles, signatures, strict=True)


def _most_similar(
    shingles: frozenset[str], others: Mapping[int, frozenset[str]]
) -> tuple[int, float] | None:
    """Return the other row with the highest Jaccard similarity, and this similarity."""
    similarities = (
        (row, len(shingles & other) / len(shingles | other)) for row, other in others.items()
    )
    return max(similarities, key=lambda pair: pair[1], default=None)


def _shingles(text: str, size: int) -> frozenset[str]:
    tokens = _tokens(text)
    return frozenset(runs(tokens, min(size, len(tokens))))


def _key(text: str) -> str:
    """Return a text as two equal ones share it; a space marks one without tokens."""
    return " ".join(_tokens(text)) or f" {text.strip()}"


def _tokens(text: str) -> list[str]:
    # Not NFKC, which would make 10² the same as 102.
    return _TOKEN.findall(unicodedata.normalize("NFC", text).casefold())
