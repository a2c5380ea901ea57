"""Responses that fall short of their task: empty, cut off, an empty promise, too short.

The failure rules (`metrics.failure.rules`) decide whether a row failed. These are softer signs, to
be counted over a finished set, whose finish reasons are no longer known.

Source: arXiv 2408.14774: if one fifth of the answers are "shirkers", most of the gain is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from autoevol.metrics.failure.cases import excerpt
from autoevol.metrics.failure.code import CODE_MARKS
from autoevol.metrics.failure.form import unfinished
from autoevol.metrics.stats.intervals import Estimate, share
from autoevol.metrics.text.languages import Language, language_of
from autoevol.metrics.text.wording import prose, words

Kind = Literal["empty", "cut off", "empty promise", "too short"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_COLONS = (":", "：")
_PROMISE_WORDS = 40
_FEW_WORDS = 4
"""Words below which a last line (a choice, a signature, a heading) needs no closing mark."""
_LETTERS_OF_A_WORD = 3
"""Of a Korean word with its space, to convert a length such as `500자` to words."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a response lacks, and the span or number that shows it."""

    kind: Kind
    evidence: str


def shortfall(
    instruction: str, response: str, *, target_share: float = 0.5, long_words: int = 30
) -> Shortfall | None:
    """Return what a response lacks; None: no sign of a shortfall.

    Args:
        instruction: Read for the length that it asks for, if any.
        response: The response to it.
        target_share: Least share of the words that the instruction asks for, in [0, 1].
        long_words: Least words for an essay, a report or a detailed answer; a task that says
            "short" and a response with code need none.
    """
    if not response.strip():
        return Shortfall("empty", "empty text")
    # Before `cut_off`: a promise often ends with a colon, which is a sign of a cut, too.
    promise = _promise(response)
    if promise:
        return Shortfall("empty promise", promise)
    end = cut_off(response)
    if end:
        return Shortfall("cut off", end)
    short = _too_short(instruction, response, target_share, long_words)
    return Shortfall("too short", short) if short else None


def cut_off(response: str) -> str | None:
    """Return the end of a response that visibly stops in the middle; None: no sign of that.

    Signs are an unclosed code fence, a colon at the end, and prose without a closing mark. Code and
    a last line of a few words (a signature, a choice) need no closing mark.
    """
    if response.count("```") % 2:
        return "unclosed ```"
    text = response.rstrip()
    if text.endswith(_COLONS):
        return f"announces at its end {excerpt(text[-40:])!r}"
    *_, last_line = text.split("\n")
    # Fenced code is left out: a fence earlier in the text does not excuse prose that stops.
    may_end_open = len(words(last_line)) < _FEW_WORDS or CODE_MARKS.search(prose(text))
    return None if may_end_open else unfinished(text)


@dataclass(frozen=True, slots=True)
class ResponseQuality:
    """Counts of a set's responses by what they lack.

    Attributes:
        counts: By kind, zeros included.
        responses: Responses that were checked; rows without one are not counted.
    """

    counts: dict[Kind, int]
    responses: int

    @property
    def rate(self) -> Estimate | None:
        """Share of responses that lack something, in [0, 1]; lower is better."""
        return share(sum(self.counts.values()), self.responses)


def response_quality(rows: Iterable[tuple[str, str | None]]) -> ResponseQuality:
    """Count the shortfalls of pairs of (instruction, response); a response of None is left out."""
    return counted(shortfall(prompt, reply) for prompt, reply in rows if reply is not None)


def counted(shortfalls: Iterable[Shortfall | None]) -> ResponseQuality:
    """Count shortfalls by kind; None lacks nothing."""
    checked = list(shortfalls)
    kinds = [short.kind for short in checked if short]
    return ResponseQuality({kind: kinds.count(kind) for kind in KINDS}, len(checked))


def _promise(response: str) -> str | None:
    language = language_of(response)
    # A longer reply opens with the announcement and then does its work.
    if language is None or len(words(response)) > _PROMISE_WORDS:
        return None
    return excerpt(response) if language.promise.match(response) else None


def _too_short(instruction: str, response: str, target_share: float, least: int) -> str | None:
    language = language_of(instruction)
    if language is None or CODE_MARKS.search(response):
        return None
    count, target = len(words(response)), _target(instruction, language)
    # A target of 0 is an upper limit ("at most 50 words"): no response is too short for it.
    if target is not None:
        return f"{count} words of {target}" if count < target_share * target else None
    is_long = language.long_form.search(instruction) and not language.brief.search(instruction)
    return f"{count} words for a long text" if is_long and count < least else None


def _target(instruction: str, language: Language) -> int | None:
    """Return the words that an instruction asks for; 0: at most some; None: it names no length."""
    match = language.target.search(instruction)
    if not match:
        return None
    if match["most"]:
        return 0
    return int(match["words"] or 0) or int(match["letters"]) // _LETTERS_OF_A_WORD
