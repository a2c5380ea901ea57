"""Words of a text: normal form, content words, numbers, quotations, sentences."""

import re
import unicodedata

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each either else few for
    from further get had has have having he her here hers him his how i if in into is it its
    itself just let like made make many may me might more most much must my no nor not now of
    off on once one only or other our out over own per please same shall she should so some
    such than that the their them then there these they this those through to too under until
    up upon us very was we were what when where which while who whom whose why will with
    without would you your yours
    """.split()
)

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』\n]{2,200})[\"”」』]")
_SENTENCE_END = re.compile(r"(?<=[.!?。？！])\s+|\n+")


def words(text: str) -> list[str]:
    """Return the words of `text`, case-folded and in order; punctuation is dropped."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def normal_form(text: str) -> str:
    """Return `text` as its words joined by single spaces: what two copies of a text share."""
    return " ".join(words(text))


def content_words(text: str) -> set[str]:
    """Return the words of `text` that are no stop words; single letters do not count, digits do."""
    return {w for w in words(text) if w not in STOP_WORDS and (len(w) > 1 or w.isdigit())}


def numbers(text: str) -> set[str]:
    """Return the numbers written in digits, without thousands separators."""
    return {
        re.sub(r",(?=\d{3}\b)", "", number)
        for number in _NUMBER.findall(unicodedata.normalize("NFKC", text))
    }


def quotations(text: str) -> list[str]:
    """Return what `text` holds between double quotation marks."""
    return [match.strip() for match in _QUOTED.findall(text)]


def sentences(text: str) -> list[str]:
    """Return the sentences and lines of `text`, without the empty ones."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def shingles(text: str, size: int) -> set[str]:
    """Return every run of `size` words in `text`, as strings."""
    tokens = words(text)
    return {" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}
