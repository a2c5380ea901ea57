"""Detectors for evolvers that reword: is a demand added, or is the old one said in other words?

Small models copy the source's words, so what is new in a rewrite is new in substance. Strong models
reword all of it, and words tell little. What tells is the task: one that is *closed*, with a text
to work on or with one right answer, gets harder by a further demand alone. Adornment ("thoroughly
examine") leaves it as it was, while an open task gains by every aspect that is named.
"""

import re

from autoevol.metrics.failure.answers import asks_nothing
from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.text.languages import language_of, speech_of
from autoevol.metrics.text.wording import numbers, sentences, stems

_JOINT = re.compile("[,;:()、，；：（）]")
"""Marks between clauses: a reworded text has about as many of them as before."""

_MATERIAL = re.compile(
    '["“「『][^"”」』\n]{12}|[:：][ \t]*\n|[:：][ \t]{0,3}[^\\s/]|\\[[^\\]\n]{8}'
    "|\\d[ \t]{0,2}[-+*/=×÷][ \t]{0,2}\\d"
)
"""A text, a list or an expression that the task is about."""

_QUESTION = re.compile("[?？؟]")

_HEADED = re.compile(r"\s*[^\n:：]{3,90}[:：](?![/\d])")
"""A terse request: what is wanted, a colon, and its conditions."""

_HEADED_LINE = re.compile(r"^\s*[^\n:：]{2,40}[:：](?![/\d])", re.MULTILINE)


def no_request(case: Case) -> str | None:
    """No request is in sight, where the source has one."""
    text, language = case.evolved or "", language_of(case.source)
    if not text.strip() or _is_headed(text):
        return None
    # A short source may not show its language; a longer rewrite does.
    if language is None or language_of(text) is None:
        return _without_request(text, case.source)
    return None if language.imperative.search(text) else asks_nothing(text, case.source, language)


def _is_headed(text: str) -> bool:
    """Tell whether a text is a terse request: one headed sentence, or headed lines."""
    if not _HEADED.match(text):
        return False
    return len(sentences(text)) == 1 or len(_HEADED_LINE.findall(text)) > 1


def _without_request(text: str, source: str) -> str | None:
    """Return the end of a text without a request, in a language of which only phrases are known."""
    request = speech.request if (speech := speech_of(text)) else None
    if request is None or request.search(text) or not request.search(source):
        return None
    return f"asks for nothing: {excerpt((sentences(text) or (text,))[-1])!r}"


def restated(
    case: Case,
    *,
    kept: float = 0.9,
    closed_demands: int = 6,
    open_demands: int = 2,
    closed_growth: int = 20,
) -> str | None:
    """The same demand in other words: too few signs of a further one for such a task.

    Args:
        case: Compared with its source. A rewrite that keeps the source's words is left to other
            rules, and so is one with a new number.
        kept: Share of the source's content words, in [0, 1]; with this many left, nothing was
            reworded.
        closed_demands: Signs of a further demand that a closed task may gain and still be the same.
        open_demands: The same for an open task.
        closed_growth: Content words that a closed task may gain and still be the same, unless they
            are fewer than it has.
    """
    source, text = case.source, case.evolved or ""
    before, after = stems(source), stems(text)
    if not before or not after or len(before & after) >= kept * len(before):
        return None
    if numbers(text) - numbers(source):
        return None
    gained = _demands(text, source) - _demands(source, source)
    closed = is_closed(source)
    if closed and len(after) - len(before) >= max(closed_growth, len(before)):
        return None
    limit = closed_demands if closed else open_demands
    share = len(before & after) / len(before)
    return (
        f"{share:.0%} of its words kept, {max(gained, 0)} signs of a demand added"
        if gained <= limit
        else None
    )


def is_closed(text: str) -> bool:
    """Tell whether a task has one right answer, or a text to work on, as far as one can see."""
    language = language_of(text)
    if language and language.creative.search(text):
        return False
    if _MATERIAL.search(text) or (language and language.closed.search(text)):
        return True
    return len(numbers(text)) > 1 and _QUESTION.search(text) is not None


def _demands(text: str, source: str) -> int:
    """Count the signs of demands: words such as "including", and joints between clauses."""
    speech = speech_of(source)
    named = len(speech.demand.findall(text)) if speech else 0
    return named + len(_JOINT.findall(text))
