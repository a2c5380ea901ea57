"""The detector of language drift: another script or language, in whole or in stray words."""

import re

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.code import CODE_MARKS, answers_in_code
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.languages.english import ENGLISH
from autoevol.metrics.text.scripts import (
    dominant_script,
    latin_language,
    likely_language,
    script_counts,
    script_of,
)
from autoevol.metrics.text.wording import prose, sentences, words

# U+3040 to U+D7A3 reach from kana over Chinese characters to the last Hangul syllable. Both
# neighbours must be such: within an English name the word is no drift.
_ENGLISH_BETWEEN = re.compile(
    r"[\u3040-\ud7a3] (?P<word>what|the|how|why|which|that|are|of|and|is|with|because|when|where)"
    # Keywords of code are named as such, or stand in capitals.
    r"(?![ ]?(?:문|구문|절|句|子句|语句|文|構文|キーワード|키워드))(?=[ \u3040-\ud7a3])"
)
_LATIN_RUN = re.compile(r"(?:[A-Za-z][A-Za-z'’-]{0,20}[ ,]{1,2}){5,30}[A-Za-z]+")
_TRANSLATION = re.compile(
    "inglés|inglesa|englisch|anglais|inglês|inglese|английск|الإنجليزية|अंग्रे|tiếng anh|ingilizce"
    "|inggris|angielsk|英語|英语|英文"
    "|traduc|tradui|traduz|übersetz|перев[её]д|перевест|ترجم|अनुवाद|dịch|çevir|terjemah|tłumacz|翻訳|翻译|译成|訳し",
    re.IGNORECASE,
)
"""Names of English, and words for a translation: such a task asks for another language."""

_FEW_WORDS = 5
_LOAN_WORDS = 6
"""Words of a source from which it is not taken for English full of loan words."""
_FUNCTION_WORDS = frozenset("the a an is are to of in that with for and it they you".split())
# Names and code are in Latin letters in every language, and formulas have Greek ones.
_COMMON_SCRIPTS = {"latin", "other", "greek"}


def language_drift(case: Case, *, sentence_words: int = 6) -> str | None:
    """The text is in another language than its source or prompt, or mixes another language in.

    Args:
        case: A task about another language may contain that language.
        sentence_words: One sentence of this many words in another script is a drift.
    """
    evidence = _drift(case, sentence_words) if case.after.strip() else None
    language = language_of(case.before)
    wanted = language.wants_language if language else _TRANSLATION
    return None if evidence and wanted.search(case.before) else evidence


def _drift(case: Case, sentence_words: int) -> str | None:
    before, after = case.before, case.after
    was, now = dominant_script(prose(before)), dominant_script(prose(after))
    # Code is in Latin letters, whatever the language of the request for it.
    if was != now == "latin" and answers_in_code(case):
        return None
    if was and now and was != now and _speaks(after):
        return f"{was} became {now}"
    return (
        _stray_letters(before, after)
        or _foreign_sentence(before, after, sentence_words)
        or _foreign_function_word(before, after)
        or _other_latin_language(case)
    )


def _speaks(text: str) -> bool:
    """Tell whether a text has enough words to be in a language, without code and formulas."""
    long_words = [word for word in words(prose(text)) if len(word) > 2 or not word.isascii()]
    return len([w for w in long_words if w.isalpha()]) > 3 and not CODE_MARKS.search(text)


def _foreign_function_word(before: str, after: str) -> str | None:
    """Return an English function word between words of another script."""
    if _is_latin(before) or CODE_MARKS.search(after):
        return None
    match = _ENGLISH_BETWEEN.search(after)
    return match.group(0).strip() if match and match["word"].lower() not in before.lower() else None


def _is_latin(text: str) -> bool:
    return dominant_script(text) in (None, "latin")


def _stray_letters(before: str, after: str) -> str | None:
    foreign = set(script_counts(after)) - set(script_counts(before)) - _COMMON_SCRIPTS
    if not foreign:
        return None
    strays = [char for char in after if char.isalpha() and script_of(char) in foreign]
    return f"stray {''.join(strays[:10])!r}" if len(strays) > 1 else None


def _foreign_sentence(before: str, after: str, least: int) -> str | None:
    """Return a sentence wholly in Latin letters inside a text of another script."""
    if _is_latin(before) or CODE_MARKS.search(after):
        return None
    source = before.casefold()
    # Names may be in Latin letters; with two new function words among them they are a sentence.
    for run in _LATIN_RUN.findall(after):
        new = [token for token in words(run) if token not in source]
        if len(new) >= least and len(_FUNCTION_WORDS.intersection(new)) > 1:
            return excerpt(run)
    for sentence in sentences(prose(after)):
        tokens = words(sentence)
        # Latin words that the source has as well are its own names or code.
        is_new = sum(token in source for token in tokens) < len(tokens) / 2
        if len(tokens) >= least and is_new and dominant_script(sentence) == "latin":
            return excerpt(sentence)
    return None


def _other_latin_language(case: Case) -> str | None:
    before, after = case.before, case.after
    # Code is in English, whatever the language of the request for it.
    if case.response is not None and CODE_MARKS.search(after):
        return None
    if dominant_script(before) != "latin" or dominant_script(after) != "latin":
        return None
    # One short word of a short reply ("no") belongs to many languages.
    if len(words(after)) < _FEW_WORDS:
        return None
    now = latin_language(prose(after))
    if now is None:
        return None
    was = latin_language(prose(before)) or _likely_language(prose(before), now)
    return f"{was} became {now}" if was and was != now else None


def _likely_language(source: str, now: str) -> str | None:
    """Return the likeliest language of a short source that is hardly its rewrite's."""
    # "Write Cinco de Mayo poem" is English for all its words: loan words and names mislead.
    if now == "en" and (ENGLISH.imperative.search(source) or len(words(source)) < _LOAN_WORDS):
        return None
    return likely_language(source, but_hardly=now)
