"""Contamination: rows that share runs of words with the texts of a benchmark."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.text.wording import normal_form, runs, words

_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")
"""Thai, Lao, Burmese, Khmer, kana, Han: words stand without spaces, so a character is a word."""

LEAST_WORDS = 5
"""A shorter text ("What is 2 + 2?") occurs in other texts by chance."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that shares a run of words with the benchmark.

    Attributes:
        row: Its number.
        run: The first shared run in it, in normal form: the evidence.
        texts: Numbers of the benchmark texts with which it shares any run, in order.
    """

    row: int
    run: str
    texts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Contamination:
    """The overlap of a set with a benchmark.

    Attributes:
        hits: In order of rows.
        rows: Number of rows checked.
        texts: Number of benchmark texts.
    """

    hits: tuple[Hit, ...]
    rows: int
    texts: int

    @property
    def rate(self) -> Estimate | None:
        """Share of the rows with a hit, in [0, 1]; lower is better. None: there are no rows."""
        return share(len(self.hits), self.rows)

    @property
    def covered(self) -> Estimate | None:
        """Share of the benchmark's texts that any row hits, in [0, 1]; lower is better."""
        return share(len({text for hit in self.hits for text in hit.texts}), self.texts)


class Benchmark:
    """An index of a benchmark's runs of words, to check rows against.

    A text of fewer words than a run is one run as a whole, and hits any row that contains it: a
    short question copied in full is the plainest leak. A text of fewer words than `least` hits only
    rows that consist of it. A row shorter than a run hits only if it contains, or is,
    such a short text. Words are compared in normal form: without case and punctuation; in scripts
    without spaces each character is a word.

    Args:
        texts: Texts that must not leak; one without a word hits nothing.
        size: Words of a run; 13 and 8 are customary.
        least: See above; "Which of these is right?" is a question of many.

    Raises:
        ValueError: `size` is below `LEAST_WORDS`.

    Source: arXiv 2005.14165, appendix C (13 words); arXiv 2406.00770, table 10 (13 and 8).
    """

    def __init__(self, texts: Sequence[str], *, size: int, least: int = LEAST_WORDS) -> None:
        if size < LEAST_WORDS:
            raise ValueError(f"runs have {LEAST_WORDS} words at least, got {size}")
        self.size, self._least = size, least
        self.count = len(texts)
        self._by_length: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
        self._short: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            self._add(number, text)

    def contamination(self, rows: Iterable[str]) -> Contamination:
        """Return which of the rows share a run with which of the texts."""
        hits = [self._hit(number, row) for number, row in enumerate(rows)]
        return Contamination(tuple(hit for hit in hits if hit), len(hits), self.count)

    def _add(self, number: int, text: str) -> None:
        tokens = _words(text)
        length = min(self.size, len(tokens))
        if length < self._least:
            self._short[normal_form(text)].append(number)
            return
        texts_by_run = self._by_length[length]
        # A run that the text repeats must not list the text twice.
        for run in dict.fromkeys(runs(tokens, length)):
            texts_by_run.setdefault(run, []).append(number)

    def _hit(self, number: int, row: str) -> Hit | None:
        """Return the hit of a row, with the first of its longest shared runs as evidence."""
        shared = dict(self._shared(row))
        if not shared:
            return None
        texts = sorted({text for numbers in shared.values() for text in numbers})
        return Hit(number, next(iter(shared)), tuple(texts))

    def _shared(self, row: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield the row's runs that the benchmark has, longest first, with their texts."""
        tokens = _words(row)
        for length in sorted(self._by_length, reverse=True):
            yield from _intersect(runs(tokens, length), self._by_length[length])
        # The normal form of a text without words is "", and "???" must not hit "!!!".
        yield from _intersect([normal_form(row)] if tokens else [], self._short)


def is_long(text: str, least: int = LEAST_WORDS) -> bool:
    """Tell whether a text has words enough to leak as a part of another one."""
    return len(_words(text)) >= least


def _words(text: str) -> Sequence[str]:
    return words(_UNSPACED.sub(r" \1 ", text))


def _intersect(
    row_runs: Iterable[str], texts_by_run: Mapping[str, Sequence[int]]
) -> Iterator[tuple[str, Sequence[int]]]:
    return ((run, texts_by_run[run]) for run in row_runs if run in texts_by_run)
