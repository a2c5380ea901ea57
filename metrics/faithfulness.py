"""Detectors that hold a rewrite against its source: what was added, what was lost."""

import re
from collections import Counter

from metrics.cases import Case, shown
from metrics.languages import language_of
from metrics.wording import (
    content_words,
    names_in_code,
    normal_form,
    numbers,
    quotations,
    stems,
    words,
)

_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*(?:\s?[^\W\d_]{1,2})?")
_ADDED_STEMS = 3
_MATERIAL = re.compile(r"(?:\n[ \t]*\n|:[ \t]*\n|[:：]\s)(?P<material>.+)\Z", re.DOTALL)


def unchanged(case: Case, *, new_stems: int = 2, added_words: int = 5) -> str | None:
    """The rewrite is its source again, or says the same with next to nothing added.

    Args:
        case: An easier version, made on purpose, is unchanged only if it is the same text.
        new_stems: A rewrite with fewer new content words than this adds nothing.
        added_words: Unless it has at least so many words more of any kind.
    """
    if not case.evolved or not case.evolved.strip():
        return None
    if normal_form(case.evolved) == normal_form(case.source):
        return "same text"
    if case.method_kind == "down":
        return None
    new = _new_stems(case)
    added = Counter(words(case.evolved)) - Counter(words(case.source))
    little = len(new) < new_stems and added.total() < added_words
    return f"only new: {', '.join(sorted(new)) or 'nothing'}" if little or not new else None


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
    return f"{share:.0%} of its words, none added" if share >= kept and not is_longer else None


def same_sum(case: Case, *, new_stems: int = 8) -> str | None:
    """A word problem comes back with no new amount and no further question.

    Args:
        case: Its source is a word problem if it has two numbers or more and asks for an amount.
        new_stems: So many new content words may hold a condition that has no number in it.
    """
    source, text = case.source, case.evolved or ""
    language = language_of(source)
    if not text.strip() or not _is_word_problem(source) or language is None:
        return None
    new = _new_stems(case)
    asks_more = bool(new) and _demands(text) > _demands(source)
    has_amount = bool(_amounts(text) - _amounts(source))
    if asks_more or has_amount or len(new) >= new_stems:
        return None
    return f"no new amount; only new: {shown(', '.join(sorted(new))) or 'nothing'}"


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


def changed_task(case: Case, *, kept: float = 0.3, least: int = 3) -> str | None:
    """Hardly a content word of the source is left.

    Args:
        case: Compared with its source.
        kept: Share of the source's content words that must still be there, in [0, 1].
        least: Sources of fewer content words cannot be judged so.
    """
    before, after = stems(case.source), stems(case.evolved or "")
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
    gone += [span for span in quotations(case.source) if normal_form(span) not in text]
    raw = case.evolved.casefold()
    gone += [
        name for name in names_in_code(case.source) if name.split("(")[0].casefold() not in raw
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


def _is_word_problem(text: str) -> bool:
    language = language_of(text)
    return bool(language and len(numbers(text)) > 1 and language.unknown.search(text))


def _demands(text: str) -> int:
    """Count the questions and tasks of a text."""
    language = language_of(text)
    return len(language.request.findall(text)) if language else 0


def _amounts(text: str) -> set[str]:
    """Return the numbers of a text with their units, and the words that change an amount."""
    language = language_of(text)
    found = language.quantity.findall(text) if language else []
    return {*_AMOUNT.findall(text), *(word.casefold().strip() for word in found)}


def _lost_numbers(source: str, evolved: str) -> set[str]:
    """Return the source's numbers that the rewrite has neither in digits nor in words.

    Numbers that were exchanged while more was added are a change on purpose, and so is a count that
    was raised ("3 tips" to "5 tips").
    """
    spelled, before, after = _spelled(evolved), numbers(source), numbers(evolved)
    gone = {number for number in before - after if number not in spelled}
    is_exchanged = len(after | spelled) >= len(before) and _adds(source, evolved)
    return set() if is_exchanged else {n for n in gone if not _is_raised(n, source, evolved)}


def _adds(source: str, evolved: str) -> bool:
    """Tell whether a rewrite has content that its source lacks, and more of it."""
    new = stems(evolved) - stems(source)
    return len(new) >= _ADDED_STEMS and len(stems(evolved)) >= len(stems(source)) + _ADDED_STEMS


def _spelled(text: str) -> set[str]:
    language = language_of(text)
    found = content_words(text) if language else set()
    return {
        str(value)
        for word, value in (language.numerals if language else {}).items()
        if word in found
    }


def _is_raised(number: str, source: str, evolved: str) -> bool:
    """Tell whether a larger number stands before the same word."""
    if not number.isdigit() or int(number) > 20:
        return False
    after = re.search(rf"(?<!\d){number}\s+(\w+)", source)
    if not after:
        return False
    raised = re.findall(rf"(\d{{1,4}})\s+{re.escape(after[1])}", evolved)
    return any(int(other) > int(number) for other in raised)
