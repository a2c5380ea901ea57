"""Language tables: all that the detectors know of a language, one table each.

table: `Language`, the fields of a table and what they mean.
english, korean: the tables.
phrases: for fourteen other languages, what a failure says in them.
numerals: their number words.
rewriting_talk: what a rewrite says of how it was made, in sixteen languages.
roles: in all of them, tasks whose answer is said by somebody else.

To add a language, write its table in a file beside `english.py` and add it to `LANGUAGES`. A text in
a language without a table is still checked by every rule that needs none (length, numbers, scripts,
repetition); the other rules let it pass. Every pattern must match in linear time: no nested or
adjacent unbounded repeats (`tests/metrics/failure/test_detectors_hold.py` times them all).
"""

from functools import lru_cache

from autoevol.metrics.text.languages.english import ENGLISH
from autoevol.metrics.text.languages.korean import KOREAN
from autoevol.metrics.text.languages.numerals import spelled_numbers_in
from autoevol.metrics.text.languages.phrases import Phrases, code_of, phrases_of
from autoevol.metrics.text.languages.table import Language
from autoevol.metrics.text.scripts import dominant_script, latin_language
from autoevol.metrics.text.wording import words

__all__ = ["LANGUAGES", "Language", "code_in_use", "language_of", "numbers_in_words", "speech_of"]

LANGUAGES: tuple[Language, ...] = (ENGLISH, KOREAN)
"""The languages with a table; at most one for each script."""


@lru_cache(maxsize=512)
def language_of(text: str) -> Language | None:
    """Return the table for the language of `text`; None: there is none.

    Latin script counts as English, unless it is surely one of the languages with phrases alone.
    """
    if phrases_of(text):
        return None
    script = dominant_script(text) or "latin"
    return next((language for language in LANGUAGES if language.script == script), None)


def speech_of(text: str) -> Language | Phrases | None:
    """Return the table or the phrases of a text's language; None: there are none."""
    return phrases_of(text) or language_of(text)


def code_in_use(text: str) -> str:
    """Return the ISO 639-1 code of the language whose table or phrases a text is read with."""
    language = language_of(text)
    return language.code if language else code_of(text)


@lru_cache(maxsize=512)
def numbers_in_words(text: str) -> frozenset[str]:
    """Return, in digits, the numbers that a text writes as words."""
    language = language_of(text)
    in_table = {
        value
        for word, value in (language.numerals if language else {}).items()
        if word in words(text)
    }
    # A short text in Latin letters is read as English for want of a sign; its numbers may say more.
    is_sure = language is not None and (language.script != "latin" or latin_language(text) == "en")
    others = set() if is_sure else spelled_numbers_in(text, code_of(text))
    return frozenset(map(str, in_table | others))
