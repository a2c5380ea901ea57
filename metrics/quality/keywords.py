"""The operations that models name when they think about harder instructions, counted.

Source: arXiv 2412.11231, whose small evolver named 6.9 % more different ones than the large one.
"""

from collections import Counter
from collections.abc import Iterable

from autoevol.metrics.quality.tags import merged, spelled_alike
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import STOP_WORDS, prose, sentences


def operations(text: str) -> list[str]:
    """Return the operations that a trajectory or a thinking text names, in order.

    An operation is a verb of change and its object ("add constraints", "조건 추가"). Fenced code is
    left out, and a language without a table names none.
    """
    return [name for sentence in sentences(prose(text)) for name in _named(sentence)]


def count_operations(texts: Iterable[str]) -> Counter[str]:
    """Count for each operation the texts that name it, under its commonest spelling.

    Its length is the number of different operations, which grows with the texts: compare only
    equal numbers of them.
    """
    rows = merged([tuple(operations(text)) for text in texts], spelled_alike)
    return Counter(name for row in rows for name in row or ())


def _named(sentence: str) -> list[str]:
    """Return the operations of a sentence, verb and object in the order of the language."""
    language = language_of(sentence)
    matches = language.operation.finditer(sentence.lower()) if language else ()
    return [
        " ".join(found[name] for name in sorted(("verb", "object"), key=found.start))
        for found in matches
        if found["object"] not in STOP_WORDS
    ]
