"""Parts of a text: words, stems, numbers, quotations, names in code, lists, sentences."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

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

# Vowel signs of Indic scripts and the like belong to their word; Python counts them as no letters.
_MARKS = "".join(chr(c) for c in range(0x300, 0xE50) if unicodedata.category(chr(c))[0] == "M")
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+(?:['’](?:[^\W_]|[{_MARKS}])+)*")
_GAPS = {code: " " for code in range(128) if not chr(code).isalnum()}
"""ASCII characters between words: without apostrophes, `translate` is faster than `_WORD`."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r",(?=\d{3}\b)")
# Repeats are bounded, here and in all detectors: on any text a pattern must take linear time.
# A single quote opens or closes only at the edge of a word; elsewhere it is an apostrophe.
_QUOTED = re.compile(
    # After a digit a straight mark is one of inches or seconds.
    r"(?:(?<!\d)\"|[“「『])([^\"“”「」『』\n]{2,200})[\"”」』]|(?<!\w)['‘]([^'‘’\n]{3,200})['’](?!\w)"
)
# In backticks, in snake_case or camelCase, or before a pair of brackets.
_NAMED = re.compile(r"`([^`\n]{1,80})`|\b([A-Za-z]\w*_\w+|[a-z]+[A-Z]\w+|[A-Za-z]\w*(?=\(\w*\)))")
_SENTENCE_END = re.compile(r"\s(?:(?<=\n)|(?<=[.!?。？！]\s))\s*")
# A fence that is never closed, as in a reply that was cut off, holds code to the end.
_FENCED = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_SEPARATED = re.compile(r"[^,，;\n]{1,60}(?:[,，;][^,，;\n]{1,60}){2,}")
_LATIN_STEM, _HANGUL_STEM = 5, 2
_NO_SPACES = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # Thai, Lao, kana, Han
_UNSPACED = re.compile(f"[{_NO_SPACES}]")
_RUNS = re.compile(f"[{_NO_SPACES}]+|[^{_NO_SPACES}]+")


# Every rule reads the words of the same few texts of a case, so the caches below are small and hit.
@lru_cache(maxsize=512)
def words(text: str) -> tuple[str, ...]:
    """Return the words of `text`, case-folded and in order, without punctuation."""
    folded = plain(text).casefold()
    if folded.isascii() and "'" not in folded:
        return tuple(folded.translate(_GAPS).split())
    return tuple(_WORD.findall(folded))


@lru_cache(maxsize=512)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words of `text`, and every two characters in a row where a script has no spaces.

    Chinese, Japanese and Thai write no spaces, so a "word" of theirs is a whole clause, which two
    texts hardly ever share.
    """
    spaced = words(text)
    if text.isascii() or not _UNSPACED.search(text):
        return spaced
    return tuple(part for word in spaced for part in _parts(word))


def _parts(word: str) -> Iterator[str]:
    for run in _RUNS.findall(word):
        if len(run) > 1 and _UNSPACED.match(run):
            yield from (run[i : i + 2] for i in range(len(run) - 1))
        else:
            yield run


@lru_cache(maxsize=512)
def units(text: str) -> tuple[tuple[str, float], ...]:
    """Return the words of `text` with weight 1; of scripts without spaces the characters with 0.5.

    Two characters of Chinese, Japanese or Thai say about as much as a word of other scripts.
    """
    if text.isascii() or not _UNSPACED.search(text):
        return tuple((word, 1.0) for word in words(text))
    runs = (run for word in words(text) for run in _RUNS.findall(word))
    return tuple(
        part
        for run in runs
        for part in ([(char, 0.5) for char in run] if _UNSPACED.match(run) else [(run, 1.0)])
    )


def plain(text: str) -> str:
    """Return `text` in Unicode's normal form NFKC."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=512)
def normal_form(text: str) -> str:
    """Return the words of `text` joined by single spaces: equal for two copies of a text."""
    return " ".join(words(text))


def content_words(text: str) -> set[str]:
    """Return the tokens of `text` without stop words and single letters; single digits count."""
    return {w for w in tokens(text) if w not in STOP_WORDS and (len(w) > 1 or w.isdigit())}


@lru_cache(maxsize=512)
def stems(text: str) -> frozenset[str]:
    """Return the beginnings of the content words of `text`.

    Five letters of a Latin word or two syllables of a Korean one: without most inflections and
    particles, which is enough to compare a text with its rewrite.
    """
    return frozenset(_stem(word) for word in content_words(text))


@lru_cache(maxsize=512)
def numbers(text: str) -> frozenset[str]:
    """Return the numbers written in digits, without thousands separators."""
    spans = _NUMBER.findall(plain(text))
    return frozenset(_THOUSANDS.sub("", number) if "," in number else number for number in spans)


def quotations(text: str) -> list[str]:
    """Return the spans of `text` between quotation marks."""
    # In fenced code quotation marks delimit strings and quote nobody.
    return [(double or single).strip() for double, single in _QUOTED.findall(prose(text))]


def names_in_code(text: str) -> list[str]:
    """Return spans in backticks, and words that can only be names in code."""
    return [marked or bare for marked, bare in _NAMED.findall(prose(text))]


def prose(text: str) -> str:
    """Return `text` without its fenced code."""
    return _FENCED.sub("\n", text) if "```" in text else text


def listed(text: str) -> list[list[str]]:
    """Return the comma-separated lists of three items or more within a line.

    Words before a colon or an opening bracket belong to the sentence, not to the list.
    """
    runs = (re.split(r"[,，;]", run) for run in _SEPARATED.findall(text))
    return [[normal_form(_after_lead(item)) for item in run] for run in runs]


@lru_cache(maxsize=512)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences and lines of `text`, without empty ones."""
    return tuple(part.strip() for part in _SENTENCE_END.split(text) if part.strip())


@lru_cache(maxsize=512)
def shingles(text: str, size: int) -> frozenset[str]:
    """Return every run of `size` words in `text`, as strings."""
    return frozenset(runs(words(text), size))


def runs(tokens: Sequence[str], size: int) -> Iterator[str]:
    """Yield every run of `size` tokens (n-gram) as a string, in order; none of fewer tokens."""
    return (" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def _stem(word: str) -> str:
    return word[:_HANGUL_STEM] if "가" <= word[0] <= "힣" else word[:_LATIN_STEM]


def _after_lead(item: str) -> str:
    return re.split(r"[:：\[({]", item)[-1]
