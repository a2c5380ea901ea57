"""Results of solutions as values, so that notation does not tell equal ones apart.

"7,75 Euro", "7.75" and "31/4" are one number. In a line that states a result a comma before one,
two or four digits is a decimal comma: solvers were asked for one result, so it separates none.
"""

import re
from fractions import Fraction

from autoevol.metrics.quality.consistency import OPEN, reference_result, stated_result

_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?!\d)|\d{4,}(?!\d))")
_GROUPS = re.compile(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3}(?!\d))")
_MINUS = re.compile("[\u2212\u2013](?=\\s?\\d)")
_STATES = re.compile(
    r"^(\W*)(?:antwort|réponse|respuesta|resposta|risposta|ответ|الجواب|الإجابة|उत्तर|đáp án"
    r"|trả lời|cevap|yanıt|jawaban|odpowiedź|答案|答え|回答|解答)(\W*?[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_LONGEST_NUMBER = 1000
"""Digits of a number that is compared as one; Python itself reads no more than 4,300."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?")


def result_in(solution: str) -> str:
    """Return the result that a solution states, as a value; "" or `OPEN` as `stated_result`."""
    return value_of(stated_result(_plain(solution)))


def result_of_answer(response: str) -> str:
    """Return the one result of an answer of the data, as a value; "" where it is not clear."""
    return value_of(reference_result(_plain(response)))


_NO_RESULTS = frozenset(
    ("idk", "i don't know", "i do not know", "unknown", "none", "n/a", "na", "impossible", "null")
)


def known_result(response: str) -> str:
    """Return the result that an answer of the data is sure to state; "" where it may not.

    A number, or what a line `Answer: …` states. A last line of a few words may be a remark, such as
    "Unknown." or "IDK", and says nothing of a solver that finds something else.
    """
    result = result_of_answer(response)
    is_number = any(character.isdigit() for character in result)
    is_stated = is_number or stated_result(_plain(response)) not in ("", OPEN)
    return result if is_stated and result not in _NO_RESULTS else ""


def value_of(result: str) -> str:
    """Return a result with its numbers as fractions in lowest terms."""
    if result in ("", OPEN):
        return result
    return _NUMBER.sub(_as_fraction, result)


def _as_fraction(number: re.Match[str]) -> str:
    if len(number.group(0)) > _LONGEST_NUMBER:
        return number.group(0)
    whole, _, part = number.group(0).partition("/")
    if part and not int(part):
        return number.group(0)
    return str(Fraction(whole) / (int(part) if part else 1))


def _plain(text: str) -> str:
    """Return a text with points for decimal commas, and `Answer:` for other languages' words."""
    text = _GROUPS.sub("", _MINUS.sub("-", text))
    return _STATES.sub(r"\1Answer\2", _DECIMAL_COMMA.sub(".", text))
