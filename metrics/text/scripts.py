"""Scripts (writing systems) and Latin languages: how the language of a text is recognised."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from autoevol.metrics.text.wording import STOP_WORDS, words

_LEAST_WORDS = 5
_FEWEST_WORDS, _HARDLY = 4, 0.01
_CANDIDATES = "en es fr de it pt nl sv da pl cs tr id vi ro".split()
# A wrong guess fails a sound row for language drift, so only a sure one counts.
_LEAST_PROBABILITY = 0.995
_ENGLISH = frozenset(
    """
    the of and to that which with for from this these those are be it its at by what how your their
    there when if into each other about who where why then than has have been would should could
    """.split()
)
"""Function words that no other language in Latin letters has; "in" and "was" are German, too."""

_SHARED = frozenset("a an as do he her in is me no on or so to under was we will".split())
"""Stop words of English that other languages in Latin letters have, too: "in Berlin"."""

_ENGLISH_ALONE = STOP_WORDS - _SHARED

_ENGLISH_PART, _STOP_PART, _SHORT = 10, 5, 12
"""English has at least one of `_ENGLISH` in ten words, or in a text of fewer than twelve words one
stop word in five."""

_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")
_KANA_PART = 8
"""Chinese characters to a kana up to which a text is Japanese; most of them have fewer than 2."""

_LETTER = re.compile("[A-Za-z]")
_SCRIPTS = {
    "HANGUL": "hangul",
    "CJK": "han",
    "HIRAGANA": "kana",
    "KATAKANA": "kana",
    "LATIN": "latin",
    "CYRILLIC": "cyrillic",
    "ARABIC": "arabic",
    "HEBREW": "hebrew",
    "THAI": "thai",
    "DEVANAGARI": "devanagari",
    "GREEK": "greek",
}


@lru_cache(maxsize=512)
def script_counts(text: str) -> Mapping[str, int]:
    """Count the letters of `text` by script; letters of rarer scripts count as "other".

    For ASCII texts, which are most, letters are not counted: the result is {"latin": 1} or empty.
    """
    if text.isascii():
        return {"latin": 1} if _LETTER.search(text) else {}
    counts: Counter[str] = Counter()
    for char, number in Counter(text).items():
        if char.isalpha():
            counts[script_of(char)] += number
    # Japanese is written in both: its Chinese characters are no second language.
    if counts["kana"] * _KANA_PART >= counts["han"]:
        counts["kana"] += counts.pop("han", 0)
    return +counts


@lru_cache(maxsize=512)
def dominant_script(text: str) -> str | None:
    """Return the script of a text, or None for a text without letters.

    Latin letters occur in code and names in every language, so another script wins over Latin as
    soon as it has a quarter of the letters.
    """
    counts = script_counts(text)
    if not counts:
        return None
    if len(counts) == 1:
        return next(iter(counts))
    others = {script: n for script, n in counts.items() if script != "latin"}
    if others and 4 * max(others.values()) >= sum(counts.values()):
        return max(others, key=lambda script: others[script])
    return max(counts, key=lambda script: counts[script])


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """Return the script of a letter; "other" for the rarer ones."""
    # Python has no script property; a name begins with its script. The split at "-" is for "ー", a
    # KATAKANA-HIRAGANA PROLONGED SOUND MARK.
    name = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    return _SCRIPTS.get(name, "other")


@lru_cache(maxsize=512)
def latin_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language; None for a text too short or too unusual."""
    tokens = words(_INLINE_CODE.sub(" ", text))
    # English, the common case, is recognised by its own words, without the model.
    if tokens and _is_english(tokens):
        return "en"
    # A few words, or a text that is mostly numbers, are in no language that the model could tell.
    if sum(map(str.isalpha, tokens)) < max(_LEAST_WORDS, len(tokens) / 2):
        return None
    code, probability = _identifier().classify(" ".join(tokens))
    return str(code) if probability >= _LEAST_PROBABILITY else None


@lru_cache(maxsize=512)
def likely_language(text: str, but_hardly: str) -> str | None:
    """Return the likeliest language of a short text that is hardly another; None: it may be both.

    Args:
        text: In Latin letters.
        but_hardly: ISO 639-1 code of the other language.
    """
    tokens = words(_INLINE_CODE.sub(" ", text))
    if sum(map(str.isalpha, tokens)) < _FEWEST_WORDS:
        return None
    probabilities = dict(_identifier().rank(" ".join(tokens)))
    likeliest = max(probabilities, key=lambda code: float(probabilities[code]))
    is_sure = probabilities[but_hardly] < _HARDLY and probabilities[likeliest] > 1 / 2
    return str(likeliest) if is_sure else None


def _is_english(tokens: Sequence[str]) -> bool:
    if len(tokens) < _SHORT:
        if _STOP_PART * sum(map(_ENGLISH_ALONE.__contains__, tokens)) >= len(tokens):
            return True
        is_likely = _STOP_PART * sum(map(STOP_WORDS.__contains__, tokens)) >= len(tokens)
        return is_likely and _identifier().classify(" ".join(tokens))[0] == "en"
    return _ENGLISH_PART * sum(map(_ENGLISH.__contains__, tokens)) >= len(tokens)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # By default py3langid returns log-scores, which no fixed limit can be held against.
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CANDIDATES)
    return identifier
