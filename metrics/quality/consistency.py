"""Results of answers, and self-consistency: the answer whose result is the most frequent.

Source: arXiv 2203.11171, section 2, with the majority as its rule.
"""

import re
from collections import Counter
from collections.abc import Sequence

# A comma belongs to a number only before three digits: "12, 24" and "3,4" are two numbers.
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?")
_EDGES = re.compile(r"^\W+|\W+$")
# No part may cross a line end: a degenerate reply of thousands of empty or dashed lines would
# then take quadratic time.
_STATED = re.compile(
    r"^[^\w\n]*(?:(?:final[ \t]+)?(?:answer|정답|답)[^\w\n:：]*[:：]|####)[^\w\n]*?(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_FREE_NUMBER = re.compile(rf"(?<![^\W_])(?<!\d[.,])(?:{_NUMBER.pattern})")
"""A number without a letter before it: 7cm, not H2O."""
_MOST_WORDS = 6

OPEN = "open"
"""The result of an answer that cannot be compared with others: a text, an opinion, a program."""


def result_of(answer: str) -> str:
    """Return the result of an answer: its last number, or else its last line in lower case."""
    numbers = _NUMBER.findall(answer)
    if numbers:
        return _plain(numbers[-1])
    return _words(answer)


def stated_result(answer: str) -> str:
    """Return the result in the last line `Answer: …` of a solution.

    Returns:
        All its numbers without units, or else its words in lower case; `OPEN` for the word "open"
        and for many words without a number; "" if there is no such line.
    """
    stated = _STATED.findall(answer)
    if not stated:
        # Some solvers reply with the bare word, although the prompt asks for "Answer: open".
        return OPEN if _words(answer) == OPEN else ""
    # A solver may correct itself ("No, wait."), so the last of its answers counts.
    numbers = _FREE_NUMBER.findall(stated[-1])
    if numbers:
        return " ".join(map(_plain, numbers))
    words = _words(stated[-1])
    return OPEN if len(words.split()) > _MOST_WORDS else words


def reference_result(response: str) -> str:
    """Return the one result of a response; "" if it is not clear which it is.

    A line `Answer: …` or `#### …` states it; otherwise it is the only number after the last "=" of
    the last line, or a last line of a few words.
    """
    stated = stated_result(response)
    if stated:
        return "" if stated == OPEN else stated
    lines = [line for line in response.splitlines() if line.strip()]
    # Numbers before the last "=" are operands: in "48 / 6 = 8 bags" only 8 is a result.
    last = lines[-1].rpartition("=")[2] if lines else ""
    numbers = _FREE_NUMBER.findall(last)
    # Of two numbers ("$15 for 3 books") either may be the result.
    if numbers:
        return _plain(numbers[0]) if len(numbers) == 1 else ""
    words = _words(last)
    return words if len(words.split()) <= _MOST_WORDS else ""


def _words(text: str) -> str:
    """Return the last line of a text in lower case, without marks at its ends."""
    lines = [line for line in text.splitlines() if line.strip()]
    return " ".join(_EDGES.sub("", lines[-1]).lower().split()) if lines else ""


def majority(answers: Sequence[str]) -> int:
    """Return the index of the first answer with the commonest result; of ties the earliest.

    Raises:
        ValueError: There are no answers.
    """
    if not answers:
        raise ValueError("there are no answers to choose from")
    results = [result_of(answer) for answer in answers]
    # Of equal counts `most_common` returns the result that came first, so the choice is repeatable.
    commonest, _ = Counter(results).most_common(1)[0]
    return results.index(commonest)


def _plain(number: str) -> str:
    """Return a number without thousands separators and without trailing zeros."""
    bare = number.replace(",", "")
    # Without a point, and in a fraction, the final zeros are part of a whole number.
    return bare.rstrip("0").rstrip(".") if "." in bare and "/" not in bare else bare
