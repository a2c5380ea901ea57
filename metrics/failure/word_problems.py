"""Word problems of arithmetic: whether a text is one, and the amounts that it gives."""

import re
from functools import lru_cache

from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import numbers

# With its unit, one or two letters long: 5개 and 5명 are different amounts.
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*(?:\s?[^\W\d_]{1,2})?")
_SPELLED = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=512)
def is_word_problem(text: str) -> bool:
    """Tell whether a text gives two amounts or more, in digits or words, and asks for another."""
    language = language_of(text)
    if language is None or not asks_for_amount(text):
        return False
    return len(numbers(text)) + len(set(language.quantity.findall(text))) > 1


def asks_for_amount(text: str) -> bool:
    """Tell whether a text gives a number and asks for an amount."""
    language = language_of(text)
    return bool(language and numbers(text) and language.amount.search(text))


def amounts(text: str) -> set[str]:
    """Return the numbers of a text with their units, and the words that change an amount."""
    language = language_of(text)
    if language is None:
        return set(_AMOUNT.findall(text))
    numerals = language.numerals
    # "two cups" and "2 cups" are the same amount, so numerals are read as digits first.
    digits = _SPELLED.sub(lambda word: str(numerals.get(word[0].casefold(), word[0])), text)
    changes = {word.casefold().strip() for word in language.quantity.findall(text)}
    return {*_AMOUNT.findall(digits), *(changes - set(numerals))}
