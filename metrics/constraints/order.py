"""Constraints on order and repetition. A sandbox runs this file's source."""

import re
import unicodedata


def _points(text: str) -> list[str]:
    return re.findall(r"(?m)^[ \t]*(?:[-*+•·]|\d+[.)])[ \t]+(\S.*)$", text)


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


def _words(text: str) -> list[str]:
    """Return the words in small letters, without accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c)))


def _first_words(text: str) -> list[str]:
    return [re.findall(r"\w+", sentence)[0].lower() for sentence in _sentences(text)]


def points_alphabetical(response: str) -> bool:
    """Return whether there are two list points or more, in alphabetical order."""
    points = [_words(point) for point in _points(response)]
    return len(points) > 1 and points == sorted(points)


def first_words_differ(response: str) -> bool:
    """Return whether there are two sentences or more, and no two begin with the same word."""
    words = _first_words(response)
    return len(words) > 1 and len(set(words)) == len(words)


def sentences_start_with(response: str, letter: str) -> bool:
    """Return whether every sentence begins with a letter, in either case."""
    words = _first_words(response)
    return bool(words) and all(word.startswith(letter.lower()) for word in words)


def numbers_ascending(response: str) -> bool:
    """Return whether there are two numbers or more, without those of lists, each above the last."""
    text = re.sub(r"(?m)^[ \t]*\d+[.)][ \t]+", "", response)
    written = re.findall(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?", text)
    numbers = [float(number.replace(",", "")) for number in written]
    return len(numbers) > 1 and all(numbers[i - 1] < numbers[i] for i in range(1, len(numbers)))


def no_word_twice_in_a_row(response: str) -> bool:
    """Return whether no word is followed by itself."""
    words = [word.strip(".,;:!?\"'()[]*_") for word in response.lower().split()]
    words = [word for word in words if word]
    return bool(words) and all(words[i - 1] != words[i] for i in range(1, len(words)))


def repeats_first_sentence(response: str) -> bool:
    """Return whether the last sentence is the first one again, and another stands between them."""
    sentences = [sentence.strip() for sentence in _sentences(response)]
    return len(sentences) > 2 and sentences[0] == sentences[-1]
