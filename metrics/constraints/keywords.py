"""Constraints on words that a response has or has not. A sandbox runs this file's source."""

import re


def _count(text: str, word: str) -> int:
    """Return how often a word stands alone; in scripts that join particles, how often it occurs."""
    low, word = text.lower(), word.lower()
    if not word.isascii():
        return low.count(word)
    return len(re.findall(r"(?<![^\W_])" + re.escape(word) + r"(?![A-Za-z0-9])", low))


def includes_all(response: str, words: list[str]) -> bool:
    """Return whether each of the words occurs."""
    return all(_count(response, word) > 0 for word in words)


def excludes_all(response: str, words: list[str]) -> bool:
    """Return whether none of the words occurs; an empty response keeps no constraint."""
    return bool(response.strip()) and all(_count(response, word) == 0 for word in words)


def word_times(response: str, word: str, count: int) -> bool:
    """Return whether a word occurs exactly so often."""
    return _count(response, word) == count


def word_at_least(response: str, word: str, count: int) -> bool:
    """Return whether a word occurs at least so often."""
    return _count(response, word) >= count


def starts_with(response: str, text: str) -> bool:
    """Return whether the response begins with a text, letter case included."""
    return response.strip().startswith(text)


def ends_with(response: str, text: str) -> bool:
    """Return whether the response ends with a text, letter case included."""
    return response.strip().endswith(text)


def letter_times(response: str, letter: str, count: int) -> bool:
    """Return whether a letter, in either case, occurs at least so often."""
    return response.lower().count(letter.lower()) >= count


def without_letter(response: str, letter: str) -> bool:
    """Return whether a letter occurs in neither case."""
    return bool(response.strip()) and letter.lower() not in response.lower()
