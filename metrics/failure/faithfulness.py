"""Detectors that hold a rewrite against its source: what was added, what was lost."""

import re
from collections import Counter
from functools import lru_cache

from autoevol.metrics.failure.cases import Case, shown
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import (
    names_in_code,
    normal_form,
    numbers,
    quotations,
    sentences,
    shingles,
    stems,
    words,
)

_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*(?:\s?[^\W\d_]{1,2})?")
_ADDED_STEMS = 3
_CLAUSE, _EMPTY_WORDS = 5, 8
_ARTICLES = frozenset("a an the of and is are its".split())
_MOST_SPANS = 200
_SPELLED = re.compile(r"[^\W\d_]+")
_SYMBOL = re.compile(r"[<>=+/^≤≥≠×÷*](?:(?<!\*)|(?<![*\s]\*)(?![*\s])|(?<=\s\*)(?=\s))")
_MATERIAL = re.compile(r"(?:\n[ \t]*\n|:[ \t]*\n|[:：]\s)(?P<material>.+)\Z", re.DOTALL)


def unchanged(case: Case, *, new_stems: int = 2, added_words: int = 3) -> str | None:
    """The rewrite is its source again, or says the same with next to nothing added.

    Args:
        case: An easier version, made on purpose, is unchanged only if it is the same text.
        new_stems: A rewrite with fewer new content words than this adds nothing.
        added_words: Unless it has at least so many words more of any kind, or asks for more.
    """
    source, text = case.source, case.evolved or ""
    if not text.strip() or _symbols(text) != _symbols(source):
        return None
    if normal_form(text) == normal_form(source):
        return "same text"
    if case.method_kind == "down":
        return None
    new = _new_stems(case)
    if len(new) >= new_stems:
        return None
    most = added_words if new else _EMPTY_WORDS
    little = _said(case) < most and not _asks_more(case)
    return f"only new: {', '.join(sorted(new)) or 'nothing'}" if little else None


def reworded(case: Case, *, growth: int = 1, kept: float = 0.5) -> str | None:
    """The rewrite swaps words and adds none: the same demand, said otherwise.

    Args:
        case: Compared with its source.
        growth: At most so many content words more than the source.
        kept: At least this share of the source's content words is still there, in [0, 1].
    """
    before, after = stems(case.source), stems(case.evolved or "")
    if not before or not after or len(after) > len(before) + growth:
        return None
    share = len(before & after) / len(before)
    is_longer = len(words(case.evolved or "")) > len(words(case.source)) + 3 * max(growth, 1)
    is_reworded = share >= kept and not is_longer and not _asks_more(case)
    return f"{share:.0%} of its words, none added" if is_reworded else None


def same_sum(case: Case, *, new_stems: int = 5) -> str | None:
    """A word problem comes back with no new amount and no further question.

    Args:
        case: Its source is a word problem if it has two amounts or more and asks for another.
        new_stems: So many new content words may hold a condition that has no number in it.
    """
    source, text = case.source, case.evolved or ""
    language = language_of(source)
    if not text.strip() or not is_word_problem(source) or language is None:
        return None
    new = _new_stems(case)
    if len(new) >= new_stems or _amounts(text) - _amounts(source) or _asks_more(case):
        return None
    return f"no new amount; only new: {shown(', '.join(sorted(new))) or 'nothing'}"


def copied_demonstration(case: Case, *, run: int = 5, share: float = 0.7) -> str | None:
    """What the rewrite adds is taken word for word from a demonstration of its method.

    Args:
        case: What its source says, it may say too.
        run: So many words in a row are a copy.
        share: Of the new content words, in [0, 1], that stand in copied runs.
    """
    if not case.demonstrations or not case.evolved:
        return None
    new = stems(case.evolved) - stems(case.source)
    least = max(1, share * len(new))
    if len(new & stems(case.demonstrations)) < least:
        return None
    copied = shingles(case.evolved, run) & shingles(case.demonstrations, run)
    copied -= shingles(case.source, run)
    taken = new & stems(" ".join(sorted(copied)))
    return shown(min(copied)) if len(taken) >= least else None


def shrunk(case: Case, *, share: float = 0.8) -> str | None:
    """The rewrite is shorter than its source and has lost content.

    Args:
        case: Compared with its source.
        share: Of the source's words, in [0, 1]; a shorter rewrite than this is shrunk.
    """
    before, after = len(words(case.source)), len(words(case.evolved or ""))
    lost = stems(case.source) - stems(case.evolved or "")
    is_short = 0 < after < share * before and len(lost) > 1
    return f"{before} words became {after}" if is_short else None


def changed_task(case: Case, *, kept: float = 0.3, least: int = 2) -> str | None:
    """Hardly a content word of the source is left.

    Args:
        case: Compared with its source; the verb that a request begins with is no content.
        kept: Share of the source's content words that must still be there, in [0, 1].
        least: Sources of fewer content words cannot be judged so.
    """
    before, after = stems(_without_verb(case.source)), stems(case.evolved or "")
    if len(before) < least or not after:
        return None
    share = len(before & after) / len(before)
    return f"kept {share:.0%} of the source's words" if share < kept else None


def lost_details(case: Case) -> str | None:
    """A number, a quotation or a name in code of the source is missing from the rewrite."""
    if not case.evolved:
        return None
    text = normal_form(case.evolved)
    gone = sorted(_lost_numbers(case.source, case.evolved))
    quoted = quotations(case.source)[:_MOST_SPANS]
    gone += [span for span in quoted if normal_form(span) not in text]
    raw = case.evolved.casefold()
    gone += [
        name
        for name in names_in_code(case.source)[:_MOST_SPANS]
        if name.split("(")[0].casefold() not in raw
    ]
    return f"missing: {shown(', '.join(gone))}" if gone else None


def lost_material(case: Case, *, kept: float = 0.6, least: int = 4) -> str | None:
    """The source hands over a text, a list or code to work on; the rewrite has lost it.

    Args:
        case: What follows the source's first colon or empty line is the material.
        kept: Share of the material's words that must still be there, in [0, 1].
        least: A shorter tail is no material.
    """
    match = _MATERIAL.search(case.source)
    if not match or not case.evolved:
        return None
    material = set(words(match["material"]))
    share = len(material & set(words(case.evolved))) / max(1, len(material))
    if len(material) < least or share >= kept:
        return None
    return f"kept {share:.0%} of {shown(match['material'], 40)!r}"


def _new_stems(case: Case) -> frozenset[str]:
    """Return the stems that a rewrite has and its source lacks, without those that add nothing."""
    language = language_of(case.source)
    new = stems(case.evolved or "") - stems(case.source)
    return new - language.filler if language else new


def _without_verb(text: str) -> str:
    language = language_of(text)
    verb = language.task.match(text) if language else None
    return text[verb.end() :] if verb else text


@lru_cache(maxsize=512)
def is_word_problem(text: str) -> bool:
    """Tell whether a text gives two amounts or more, in digits or words, and asks for another."""
    language = language_of(text)
    if language is None or not is_sum(text):
        return False
    return len(numbers(text)) + len(set(language.quantity.findall(text))) > 1


def is_sum(text: str) -> bool:
    """Tell whether a text gives a number and asks for an amount."""
    language = language_of(text)
    return bool(language and numbers(text) and language.amount.search(text))


def _said(case: Case) -> int:
    """Count the words that a rewrite adds, of any kind but those that add nothing."""
    added = Counter(words(case.evolved or "")) - Counter(words(case.source))
    return sum(count for word, count in added.items() if not _is_filler(word, case.source))


def _is_filler(word: str, source: str) -> bool:
    language = language_of(source)
    return bool(language and (word[:5] in language.filler or word in _ARTICLES))


@lru_cache(maxsize=512)
def _symbols(text: str) -> Counter[str]:
    """Count the signs of mathematics and code that words do not hold."""
    return Counter(_SYMBOL.findall(text))


def _asks_more(case: Case) -> bool:
    """Tell whether the rewrite has a further question or request, or another formula."""
    source, text = case.source, case.evolved or ""
    if _symbols(text) - _symbols(source):
        return True
    has_new = bool(_new_stems(case)) or len(_question_words(text)) > len(_question_words(source))
    return (has_new or _said(case) >= _CLAUSE) and _demands(text) > _demands(source)


@lru_cache(maxsize=512)
def _demands(text: str) -> int:
    """Count the questions and requests of a text."""
    language = language_of(text)
    if language is None:
        return 0
    asking = [part for part in sentences(text) if "?" in part or language.request.search(part)]
    requests = (len(language.request.findall(part.rstrip("?？ "))) for part in asking)
    questions = (len(_question_words(part)) for part in asking)
    return sum(max(1, *counts) for counts in zip(requests, questions, strict=True))


def _question_words(text: str) -> list[str]:
    language = language_of(text)
    asks = language.questions if language else frozenset()
    return [word for word in words(text) if word in asks or word[:2] in asks]


def _amounts(text: str) -> set[str]:
    """Return the numbers of a text with their units, and the words that change an amount."""
    language = language_of(text)
    if language is None:
        return set(_AMOUNT.findall(text))
    numerals = language.numerals
    digits = _SPELLED.sub(lambda word: str(numerals.get(word[0].casefold(), word[0])), text)
    changes = {word.casefold().strip() for word in language.quantity.findall(text)}
    return {*_AMOUNT.findall(digits), *(changes - set(numerals))}


def _lost_numbers(source: str, evolved: str) -> set[str]:
    """Return the source's numbers that the rewrite has neither in digits nor in words.

    Numbers that were exchanged while more was added are a change on purpose, and so is a count that
    was raised ("3 tips" to "5 tips").
    """
    before, after = numbers(source), numbers(evolved)
    if before <= after:
        return set()
    spelled = _spelled(evolved)
    gone = {number for number in before - after if number not in spelled}
    is_exchanged = len(after | spelled) >= len(before) and _adds(source, evolved)
    return set() if is_exchanged else {n for n in gone if not _is_raised(n, source, evolved)}


def _adds(source: str, evolved: str) -> bool:
    """Tell whether a rewrite has content that its source lacks, and more of it."""
    new = stems(evolved) - stems(source)
    return len(new) >= _ADDED_STEMS and len(stems(evolved)) >= len(stems(source)) + _ADDED_STEMS


def _spelled(text: str) -> set[str]:
    language = language_of(text)
    found = set(words(text)) if language else set()
    return {
        str(value)
        for word, value in (language.numerals if language else {}).items()
        if word in found
    }


def _is_raised(number: str, source: str, evolved: str) -> bool:
    """Tell whether a small count has become a larger one, where no sum hangs on it."""
    if len(number) > 2 or not number.isdigit() or is_word_problem(source):
        return False
    there_now = (numbers(evolved) | _spelled(evolved)) - numbers(source)
    return any(len(n) < 4 and n.isdigit() and int(n) > int(number) for n in there_now)
