"""Constraints on how long a response is. Self-contained: a sandbox runs this file's source."""

import re


def _sentences(text: str) -> list[str]:
    """Return the sentences: they end with . ! ? or their East Asian forms, or with their line.

    Marks of lists, titles such as "Dr." and "e.g." end none, nor does a stop before a small letter,
    unless the text has small letters alone.
    """
    text = re.sub(r"(?m)^[ \t]*(?:[-*+•·]|\d{1,2}[.)])[ \t]+", "", text)
    text = re.sub(r"\b(Dr|Mr|Mrs|Ms|Prof|St|e\.g|i\.e|cf|vs)\.", r"\1", text)
    text = re.sub(r"\b([Aa]pprox|[Cc]a|[Ff]ig|[Nn]o|[Vv]ol|[Aa]rt|pp?)\.(?=\s*\d)", r"\1", text)
    lines = re.sub(r"([。！？])", r"\1\n", text)
    follows = "(?![a-z])" if text != text.lower() else ""
    parts = re.split(r"(?<=[.!?])[\"'”’)\]]*\s+" + follows + r"|\n+", lines)
    return [part for part in parts if re.search(r"\w", part)]


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n\s*\n", text) if part.strip()]


def words_at_most(response: str, count: int) -> bool:
    """Return whether there are at most so many words, divided by white space."""
    return 0 < len(response.split()) <= count


def words_at_least(response: str, count: int) -> bool:
    """Return whether there are at least so many words."""
    return len(response.split()) >= count


def words_between(response: str, least: int, most: int) -> bool:
    """Return whether the number of words is in a range, ends included."""
    return least <= len(response.split()) <= most


def characters_at_most(response: str, count: int) -> bool:
    """Return whether there are at most so many characters, without white space at the ends."""
    return 0 < len(response.strip()) <= count


def sentences_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many sentences."""
    return len(_sentences(response)) == count


def sentences_at_most(response: str, count: int) -> bool:
    """Return whether there are at most so many sentences."""
    return 0 < len(_sentences(response)) <= count


def words_a_sentence(response: str, count: int) -> bool:
    """Return whether no sentence has more than so many words."""
    sentences = _sentences(response)
    return bool(sentences) and all(len(sentence.split()) <= count for sentence in sentences)


def paragraphs_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many paragraphs, divided by blank lines."""
    return len(_paragraphs(response)) == count


def lines_exactly(response: str, count: int) -> bool:
    """Return whether there are exactly so many lines that are not blank."""
    return len([line for line in response.splitlines() if line.strip()]) == count
