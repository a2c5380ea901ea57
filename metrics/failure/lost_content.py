"""Detectors of rewrites that lost content of their source: words, details, material, the task."""

import re

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.word_problems import is_word_problem
from autoevol.metrics.text.languages import language_of, numbers_in_words
from autoevol.metrics.text.wording import (
    names_in_code,
    normal_form,
    numbers,
    quotations,
    stems,
    tokens,
)

_ADDED_STEMS = 3
_LONG, _KEPT = 3, 0.8
"""Tokens beyond which a quotation may be changed a little, and the share that must be left."""
_BEGINNING = 5
"""Letters of a word that stay in all its forms."""

_MOST_SPANS = 200
"""Quotations and names that are checked: each is searched for in the whole rewrite."""
_PER_ONE = re.compile(r"(?<!\d)1[\u3040-\ud7a3]{1,3}[ ]?(?=\d)")
"""The 1 of a rate, as in "1冊120円" (120 yen a book): the rate stays if only the other is named."""

_MATERIAL = re.compile(r"(?:\n[ \t]*\n|:[ \t]*\n|[:：]\s)(?P<material>.+)\Z", re.DOTALL)


def shrunk(case: Case, *, share: float = 0.8) -> str | None:
    """The rewrite is shorter than its source and has lost content.

    Args:
        case: Compared with its source.
        share: Of the source's words, in [0, 1]; a shorter rewrite than this is shrunk.
    """
    before, after = len(tokens(case.source)), len(tokens(case.evolved or ""))
    lost = stems(case.source) - stems(case.evolved or "")
    is_short = 0 < after < share * before and len(lost) > 1
    return f"{before} words became {after}" if is_short else None


def changed_task(case: Case, *, kept: float = 0.3, least: int = 2) -> str | None:
    """Hardly any content word of the source is left.

    Args:
        case: Compared with its source; the verb at the start of a request is not content.
        kept: Share of the source's content words that must remain, in [0, 1].
        least: Sources with fewer content words are not judged.
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
    missing = sorted(_lost_numbers(case.source, case.evolved))
    quoted = quotations(case.source)[:_MOST_SPANS]
    present = frozenset(tokens(case.evolved))
    missing += [
        span for span in quoted if normal_form(span) not in text and not _is_kept(span, present)
    ]
    # Names are not compared in normal form, which splits `pay_now` in two words, and without their
    # brackets: `pay_now()` may become `pay_now_async()`.
    raw = case.evolved.casefold()
    missing += [
        name
        for name in names_in_code(case.source)[:_MOST_SPANS]
        if name.split("(")[0].casefold() not in raw
    ]
    return f"missing: {excerpt(', '.join(missing))}" if missing else None


def lost_material(case: Case, *, kept: float = 0.6, least: int = 4) -> str | None:
    """The source supplies a text, a list or code to work on; the rewrite has lost it.

    Args:
        case: What follows the source's first colon or empty line is the material.
        kept: Share of the material's words that must remain, in [0, 1].
        least: Fewer different words are not material.
    """
    match = _MATERIAL.search(case.source)
    if (
        not match
        or not case.evolved
        or _is_request(case.source[: match.start()], match["material"])
    ):
        return None
    material = set(tokens(match["material"]))
    text, beginnings = normal_form(case.evolved), {t[:_BEGINNING] for t in tokens(case.evolved)}
    # In many languages a word's ends change with its place, in some (Arabic) its beginning as well.
    left = sum(
        token[:_BEGINNING] in (beginnings if token.isascii() else text) for token in material
    )
    share = left / max(1, len(material))
    if len(material) < least or share >= kept:
        return None
    return f"kept {share:.0%} of {excerpt(match['material'], 40)!r}"


def _is_request(lead: str, material: str) -> bool:
    """Tell whether what follows a lead is the request itself: "Task: Describe an atom."."""
    language = language_of(material)
    if language is None or language.edits.search(lead):
        return False
    return bool(language.imperative.match(material)) or material.rstrip().endswith("?")


def _is_kept(quotation: str, present: frozenset[str]) -> bool:
    """Tell whether nearly all tokens of a long quotation are there, in whatever order."""
    parts = tokens(quotation)
    return len(parts) > _LONG and sum(part in present for part in parts) >= _KEPT * len(parts)


def _without_verb(text: str) -> str:
    language = language_of(text)
    verb = language.task.match(text) if language else None
    return text[verb.end() :] if verb else text


def _lost_numbers(source: str, evolved: str) -> set[str]:
    """Return the source's numbers that the rewrite has neither in digits nor in words."""
    before, after = numbers(_PER_ONE.sub("", source)), numbers(evolved)
    if before <= after:
        return set()
    spelled = numbers_in_words(evolved)
    missing = {number for number in before - after if number not in spelled}
    # Numbers that were exchanged while content was added are a change on purpose; so is a count
    # that was raised ("3 tips" to "5 tips").
    is_exchanged = len(after | spelled) >= len(before) and _adds_content(source, evolved)
    return set() if is_exchanged else {n for n in missing if not _is_raised(n, source, evolved)}


def _adds_content(source: str, evolved: str) -> bool:
    """Tell whether a rewrite has content that its source lacks, and more of it."""
    new = stems(evolved) - stems(source)
    return len(new) >= _ADDED_STEMS and len(stems(evolved)) >= len(stems(source)) + _ADDED_STEMS


def _is_raised(number: str, source: str, evolved: str) -> bool:
    """Tell whether a small count became a larger one, where no calculation depends on it."""
    if len(number) > 2 or not number.isdigit() or is_word_problem(source):
        return False
    new = (numbers(evolved) | numbers_in_words(evolved)) - numbers(source)
    return any(len(n) < 4 and n.isdigit() and int(n) > int(number) for n in new)
