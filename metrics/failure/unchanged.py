"""Detectors of rewrites that add nothing to their source: unchanged, reworded, copied."""

import re
from collections import Counter
from functools import lru_cache

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.word_problems import amounts, is_word_problem
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import normal_form, sentences, shingles, stems, tokens, words

_CLAUSE, _EMPTY_WORDS = 5, 8
"""Added words from which a further question counts; words that may be added without content."""
_ARTICLES = frozenset("a an the of and is are its".split())
# An asterisk counts between operands (a*b, a * b), not as Markdown (**bold**, *italics*).
_SYMBOL = re.compile(r"[<>=+/^≤≥≠×÷*](?:(?<!\*)|(?<![*\s]\*)(?![*\s])|(?<=\s\*)(?=\s))")


def same_text(case: Case) -> str | None:
    """The rewrite is its source, up to case, white space and punctuation."""
    source, text = case.source, case.evolved or ""
    # Words alone would not show that "x = 4" became "x < 4".
    is_same = normal_form(text) == normal_form(source) and _symbols(text) == _symbols(source)
    return "same text" if text.strip() and is_same else None


def unchanged(case: Case, *, new_stems: int = 2, added_words: int = 3) -> str | None:
    """The rewrite is the same text as its source, or says the same with next to nothing added.

    Args:
        case: An easier version, made on purpose, is unchanged only if it is the same text.
        new_stems: A rewrite with this many new content words has changed.
        added_words: So has one with this many added words of any kind (8 if none of them is a
            content word), and one that asks for more.
    """
    source, text = case.source, case.evolved or ""
    if not text.strip() or _symbols(text) != _symbols(source):
        return None
    if same := same_text(case):
        return same
    if case.method_kind == "down":
        return None
    new = _new_stems(case)
    if len(new) >= new_stems:
        return None
    limit = added_words if new else _EMPTY_WORDS
    is_unchanged = _count_added_words(case) < limit and not _asks_more(case)
    return f"only new: {', '.join(sorted(new)) or 'nothing'}" if is_unchanged else None


def reworded(case: Case, *, growth: int = 1, kept: float = 0.5) -> str | None:
    """The rewrite swaps words and adds none: the same demand in other words.

    Args:
        case: Compared with its source.
        growth: At most this many content words more than the source.
        kept: At least this share of the source's content words remains, in [0, 1].
    """
    before, after = stems(case.source), stems(case.evolved or "")
    if not before or not after or len(after) > len(before) + growth:
        return None
    share = len(before & after) / len(before)
    is_longer = len(tokens(case.evolved or "")) > len(tokens(case.source)) + 3 * max(growth, 1)
    is_reworded = share >= kept and not is_longer and not _asks_more(case)
    return f"{share:.0%} of its words, none added" if is_reworded else None


def same_sum(case: Case, *, new_stems: int = 5) -> str | None:
    """A word problem is rewritten with no new amount and no further question.

    Args:
        case: Its source is a word problem if it has two amounts or more and asks for another.
        new_stems: This many new content words are enough for a condition without a number.
    """
    source, text = case.source, case.evolved or ""
    language = language_of(source)
    if not text.strip() or not is_word_problem(source) or language is None:
        return None
    new = _new_stems(case)
    if len(new) >= new_stems or amounts(text) - amounts(source) or _asks_more(case):
        return None
    return f"no new amount; only new: {excerpt(', '.join(sorted(new))) or 'nothing'}"


def copied_demonstration(case: Case, *, run: int = 5, share: float = 0.7) -> str | None:
    """The rewrite's additions are copied word for word from a demonstration of its method.

    Args:
        case: Whatever its source says may be repeated.
        run: This many words in a row are a copy.
        share: Of the new content words, in [0, 1], that lie in copied runs.
    """
    if not case.demonstrations or not case.evolved:
        return None
    new = stems(case.evolved) - stems(case.source)
    # At least 1: a rewrite without a new word would have all 0 of them copied.
    least = max(1, share * len(new))
    # Cheaper than the runs below, and rules most rewrites out.
    if len(new & stems(case.demonstrations)) < least:
        return None
    copied = shingles(case.evolved, run) & shingles(case.demonstrations, run)
    copied -= shingles(case.source, run)
    copied_stems = new & stems(" ".join(sorted(copied)))
    return excerpt(min(copied)) if len(copied_stems) >= least else None


def _new_stems(case: Case) -> frozenset[str]:
    """Return the stems that a rewrite has and its source lacks, without those that add nothing."""
    language = language_of(case.source)
    new = stems(case.evolved or "") - stems(case.source)
    return new - language.filler if language else new


def _count_added_words(case: Case) -> int:
    """Count the words that a rewrite adds, of any kind but those that add nothing."""
    # The difference of Counters drops what is not positive: words that only moved add nothing.
    added = Counter(tokens(case.evolved or "")) - Counter(tokens(case.source))
    return sum(count for word, count in added.items() if not _is_filler(word, case.source))


def _is_filler(word: str, source: str) -> bool:
    language = language_of(source)
    return bool(language and (word[:5] in language.filler or word in _ARTICLES))


@lru_cache(maxsize=512)
def _symbols(text: str) -> Counter[str]:
    """Count the operators of mathematics and code; they are part of no word."""
    return Counter(_SYMBOL.findall(text))


def _asks_more(case: Case) -> bool:
    """Tell whether the rewrite has a further question or request, or another formula."""
    source, text = case.source, case.evolved or ""
    if _symbols(text) - _symbols(source):
        return True
    has_new = bool(_new_stems(case)) or len(_question_words(text)) > len(_question_words(source))
    # A further question may use the source's own words ("Also calculate the marbles that …").
    return (has_new or _count_added_words(case) >= _CLAUSE) and (
        _count_demands(text) > _count_demands(source)
    )


@lru_cache(maxsize=512)
def _count_demands(text: str) -> int:
    """Count the questions and requests of a text."""
    language = language_of(text)
    if language is None:
        return 0
    asking = [part for part in sentences(text) if "?" in part or language.request.search(part)]
    # One sentence may demand twice ("Who wrote it, and when?"): counting sentences is not enough.
    requests = (len(language.request.findall(part.rstrip("?？ "))) for part in asking)
    questions = (len(_question_words(part)) for part in asking)
    return sum(max(1, *counts) for counts in zip(requests, questions, strict=True))


def _question_words(text: str) -> list[str]:
    language = language_of(text)
    asks = language.questions if language else frozenset()
    # Korean question words carry endings; their first two syllables are in the table.
    return [word for word in words(text) if word in asks or word[:2] in asks]
