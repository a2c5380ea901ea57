"""Constraints on letter case, marks and digits. A sandbox runs this file's source."""

import re


def lower_case(response: str) -> bool:
    """Return whether there are letters with a case, and all of them are small."""
    return response.islower()


def upper_case(response: str) -> bool:
    """Return whether there are letters with a case, and all of them are capitals."""
    return response.isupper()


def capital_words_at_most(response: str, count: int) -> bool:
    """Return whether at most so many words of two letters or more are written in capitals."""
    words = [word for word in re.findall(r"[^\W\d_]{2,}", response) if word.isupper()]
    return bool(response.strip()) and len(words) <= count


def no_commas(response: str) -> bool:
    """Return whether there is no comma of any script."""
    return bool(response.strip()) and not any(mark in response for mark in ",，、،")


def no_exclamation(response: str) -> bool:
    """Return whether there is no exclamation mark."""
    return bool(response.strip()) and not any(mark in response for mark in "!！")


def no_digits(response: str) -> bool:
    """Return whether there is no digit of any script."""
    return bool(response.strip()) and not any(character.isdigit() for character in response)


def numbers_at_least(response: str, count: int) -> bool:
    """Return whether there are at least so many numbers written in digits."""
    return len(re.findall(r"\d+(?:[.,]\d+)*", response)) >= count


def questions_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many question marks."""
    return response.count("?") + response.count("？") == count


def quoted(response: str) -> bool:
    """Return whether the whole response stands in double quotation marks."""
    text = response.strip()
    pairs = (('"', '"'), ("“", "”"), ("「", "」"))
    is_whole = len(re.findall('["“”「」„«»]', text)) == 2  # not two quotations, nor one in another
    stands = any(text[0] == first and text[-1] == last for first, last in pairs) if text else False
    return len(text) > 2 and is_whole and stands


def placeholders_at_least(response: str, count: int) -> bool:
    """Return whether there are at least so many places in square brackets, as in [name]."""
    places = re.findall(r"\[([^\[\]\n]*[^\W_][^\[\]\n]*)\](?!\()", response)
    return len([place for place in places if place not in ("x", "X")]) >= count


def parentheses_at_least(response: str, count: int) -> bool:
    """Return whether there are at least so many remarks in parentheses."""
    return len(re.findall(r"(?<!\])\([^()\n]+\)|（[^（）\n]+）", response)) >= count
