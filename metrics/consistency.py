"""Self-consistency: which of several answers says what most of them say.

Source: arXiv 2203.11171, section 2, with the majority as its rule.
"""

import re
from collections import Counter
from collections.abc import Sequence

_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?")
_EDGES = re.compile(r"^\W+|\W+$")
_STATED = re.compile(
    r"^\W*(?:final\s+)?(?:answer|정답|답)\W*[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE
)
_MOST_WORDS = 6

OPEN = "open"
"""Stands for an answer that cannot be compared with others: a text, an opinion, a program."""


def result_of(answer: str) -> str:
    """Return what an answer comes to: its last number, or else its last line, lower-cased."""
    numbers = _NUMBER.findall(answer)
    if numbers:
        return _plain(numbers[-1])
    lines = [line for line in answer.splitlines() if line.strip()]
    return " ".join(_EDGES.sub("", lines[-1]).lower().split()) if lines else ""


def stated_result(answer: str) -> str:
    """Return the result that the last line `Answer: …` of a solution states.

    Returns:
        Its numbers, all of them, or else its words, lower-cased; `OPEN` for that word and for many
        words without a number; "" without such a line.
    """
    stated = _STATED.findall(answer)
    if not stated:
        return OPEN if result_of(answer) == OPEN else ""
    numbers = _NUMBER.findall(stated[-1])
    if numbers:
        return " ".join(map(_plain, numbers))
    result = result_of(stated[-1])
    return OPEN if len(result.split()) > _MOST_WORDS else result


def majority(answers: Sequence[str]) -> int:
    """Return the index of the first answer with the commonest result; of equals the first found.

    Raises:
        ValueError: There are no answers.
    """
    if not answers:
        raise ValueError("there are no answers to choose from")
    results = [result_of(answer) for answer in answers]
    commonest, _ = Counter(results).most_common(1)[0]
    return results.index(commonest)


def _plain(number: str) -> str:
    """Return a number without separators and without zeros behind its point."""
    bare = number.replace(",", "")
    return bare.rstrip("0").rstrip(".") if "." in bare and "/" not in bare else bare
