"""Detectors of form, for both stages: is there a whole, readable text in the right language?"""

import re
from collections import Counter

from metrics.cases import Case, shown
from metrics.languages import language_of
from metrics.latin import latin_language
from metrics.scripts import dominant_script, script_counts, script_of
from metrics.wording import prose, sentences, words

_RESIDUE = re.compile(
    r"\[\[\s*##|##\s*\]\]|\{(?:evolved_instruction|instruction|response|thinking|prompt|input)\}"
    r"|<\|?(?:im_start|im_end|endoftext|assistant|user|system|eot_id)\|?>|\[/?INST\]",
    re.IGNORECASE,
)
_CODE_MARKS = re.compile(r"```|[{};=][ \t]*$|^[ \t]*(?:def|import|SELECT|class)\b", re.MULTILINE)
_ENGLISH_BETWEEN = re.compile(
    r"[\u3040-\ud7a3] (?P<word>what|the|how|why|which|that|are|of|and|is|with|because|when|where)"
    r"(?=[ \u3040-\ud7a3])",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s*")
_SHORT_SENTENCE = 5
_REPLACEMENT = "\ufffd"
_SAME_CHARACTER = re.compile(r"([^\s\d=_.*~#+-])\1{19}")
_ENDS = tuple(".!?。？！:;)]}>\"'”’」』`*|")
_COMMON_SCRIPTS = {"latin", "other", "greek"}


def unparsed(case: Case) -> str | None:
    """The reply has no evolved instruction in it."""
    return f"reply: {case.raw[:80]!r}" if case.evolved is None else None


def empty(case: Case) -> str | None:
    """The stage's text is empty or white space."""
    text = case.evolved if case.response is None else case.response
    return "empty text" if text is not None and not text.strip() else None


def truncated(case: Case, *, long_words: int = 60) -> str | None:
    """The reply hit its token limit, or the rewrite visibly stops in the middle.

    Args:
        case: A response is judged by its finish reason alone.
        long_words: A rewrite of more words that ends without a mark of an end has stopped.
    """
    if case.truncated:
        return f"cut at {case.tokens_out or 'the'} tokens"
    text = case.after.rstrip()
    if case.response is not None or not text:
        return None
    end = shown(text[-40:])
    language = language_of(text)
    is_open = bool(language and language.open_end.search(text[-40:]))
    was_open = bool(language and language.open_end.search(case.source.rstrip()[-40:]))
    stops = len(words(text)) > long_words and not text.endswith(_ENDS)
    return f"stops at {end!r}" if (is_open or stops) and not was_open else None


def malformed_code(case: Case) -> str | None:
    """A fence of code is opened and not closed."""
    text = case.after
    is_cut_response = case.response is not None
    return "unclosed ```" if text.count("```") % 2 and not is_cut_response else None


def field_residue(case: Case) -> str | None:
    """A field marker, a chat token or an unfilled slot of the prompt stands in the text."""
    match = _RESIDUE.search(case.after)
    return match.group(0) if match and match.group(0) not in case.before else None


def repeated(case: Case, *, run: int = 6, times: int = 3, response_times: int = 4) -> str | None:
    """The text loops: a run of words, or a character, stands in it again and again.

    Args:
        case: Code repeats itself with reason, so fenced code is left out.
        run: Words of a run.
        times: A run that stands in a rewrite so often is a loop, unless the source has it too.
        response_times: The same for a response, where a list may begin its items alike.
    """
    text = prose(case.after)
    same = _SAME_CHARACTER.search(text)
    if same and same.group(0) not in case.before:
        return f"{same.group(0)[:10]!r}…"
    most = times if case.response is None else response_times
    for size, limit in ((run, most), (run // 2, 2 * most)):
        found = _commonest_run(words(text), size)
        if found and found[1] >= limit and found[0] not in " ".join(words(case.before)):
            return f"{found[1]} times {found[0]!r}"
    return _same_sentences(text, least=2 if case.response is None else 3)


def garbled(case: Case) -> str | None:
    """Characters were lost on the way."""
    lost = _REPLACEMENT in case.after and _REPLACEMENT not in case.before
    return "U+FFFD" if lost else None


def language_drift(case: Case, *, sentence_words: int = 6) -> str | None:
    """The text is in another language than what it was made from, or mixes one in.

    Args:
        case: A text that is about another language may hold it.
        sentence_words: A sentence of so many words in another script is a drift by itself.
    """
    before, after = case.before, case.after
    language = language_of(before)
    if not after.strip() or (language and language.wants_language.search(before)):
        return None
    was, now = dominant_script(prose(before)), dominant_script(prose(after))
    if was and now and was != now and _speaks(after):
        return f"{was} became {now}"
    return (
        _stray_letters(before, after)
        or _foreign_sentence(before, after, sentence_words)
        or _foreign_function_word(before, after)
        or _other_latin_language(before, after)
    )


def bloated(case: Case, *, times: float = 6.0, spare_words: int = 150) -> str | None:
    """The rewrite is far longer than its source.

    Args:
        case: The paper's budget is 10 to 20 added words; real methods overrun it in most rows.
        times: Allowed length, in lengths of the source.
        spare_words: Words that are allowed in any case on top of the source's.
    """
    before, after = len(words(case.source)), len(words(case.evolved or ""))
    is_over = after > max(times * before, before + spare_words)
    return f"{before} words became {after}" if is_over else None


def _same_sentences(text: str, *, least: int) -> str | None:
    """Return a sentence that comes back as a whole; `least` grows for short sentences."""
    counts = Counter(words(_LIST_MARK.sub("", sentence)) for sentence in sentences(text))
    for sentence, count in counts.items():
        most = least if len(sentence) > _SHORT_SENTENCE else 2 * least
        if len(sentence) > 2 and count >= most:
            return f"{count} times {shown(' '.join(sentence))!r}"
    return None


def _commonest_run(tokens: tuple[str, ...], size: int) -> tuple[str, int] | None:
    runs = Counter(tokens[i : i + size] for i in range(len(tokens) - size + 1))
    if not runs:
        return None
    found, count = runs.most_common(1)[0]
    return " ".join(found), count


def _stray_letters(before: str, after: str) -> str | None:
    foreign = set(script_counts(after)) - set(script_counts(before)) - _COMMON_SCRIPTS
    if not foreign:
        return None
    strays = [char for char in after if char.isalpha() and script_of(char) in foreign]
    return f"stray {''.join(strays[:10])!r}" if len(strays) > 1 else None


def _speaks(text: str) -> bool:
    """Tell whether a text has words enough to be in a language, code and formulas aside."""
    long_words = [word for word in words(prose(text)) if len(word) > 2 or not word.isascii()]
    return len([w for w in long_words if w.isalpha()]) > 3 and not _CODE_MARKS.search(text)


def _foreign_function_word(before: str, after: str) -> str | None:
    """Return an English function word that stands between words of another script."""
    if _is_latin(before) or _CODE_MARKS.search(after):
        return None
    match = _ENGLISH_BETWEEN.search(after)
    return match.group(0).strip() if match and match["word"].lower() not in before.lower() else None


def _is_latin(text: str) -> bool:
    return dominant_script(text) in (None, "latin")


def _foreign_sentence(before: str, after: str, least: int) -> str | None:
    """Return a sentence wholly in Latin letters inside a text of another script."""
    if _is_latin(before) or _CODE_MARKS.search(after):
        return None
    known = before.casefold()
    for sentence in sentences(prose(after)):
        tokens = words(sentence)
        is_new = sum(token in known for token in tokens) < len(tokens) / 2
        if len(tokens) >= least and is_new and dominant_script(sentence) == "latin":
            return shown(sentence)
    return None


def _other_latin_language(before: str, after: str) -> str | None:
    if dominant_script(before) != "latin" or dominant_script(after) != "latin":
        return None
    was, now = latin_language(prose(before)), latin_language(prose(after))
    return f"{was} became {now}" if was and now and was != now else None
