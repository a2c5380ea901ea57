"""Responses that are not worth training on: cut off, empty promises, too short for their task.

The failure rules (`metrics.failure.rules`) say whether a row failed; here are softer signs, to be
counted over a finished set, where no finish reason is known any more.

Source: arXiv 2408.14774: one fifth of "shirker" answers undoes most of the gain.
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
"""A shorter answer may end as it likes; a shorter last line is a signature or a heading."""
_LETTERS_OF_A_WORD = 3
"""A Korean word with its space: what `500자` comes to in words."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What a response lacks, and the span or figure that shows it."""

    kind: Kind
    evidence: str


def shortfall(
    instruction: str, response: str, *, target_share: float = 0.5, long_words: int = 30
) -> Shortfall | None:
    """Return what a response lacks; None: nothing that shows.

    Args:
        instruction: With the length that it asks for, or none.
        response: Its answer.
        target_share: Least share of the words that the instruction asks for, in [0, 1].
        long_words: A task for an essay, a report, a detailed answer needs so many words; one with
            a word like "short" in it, and an answer with code, need none.
    """
    if not response.strip():
        return Shortfall("empty", "empty text")
    promise = _promise(response)
    if promise:
        return Shortfall("empty promise", promise)
    end = cut_off(response)
    if end:
        return Shortfall("cut off", end)
    short = _too_short(instruction, response, target_share, long_words)
    return Shortfall("too short", short) if short else None


def cut_off(response: str) -> str | None:
    """Return how a response ends that visibly stops in the middle.

    Signs are an unclosed fence, a colon at the end, and prose that stops without a mark of an end;
    code, and a last line of a few words (a signature, a choice), may end without one.
    """
    if response.count("```") % 2:
        return "unclosed ```"
    text = response.rstrip()
    if text.endswith(_COLONS):
        return f"announces at its end {excerpt(text[-40:])!r}"
    *_, last_line = text.split("\n")
    is_free = len(words(last_line)) < _FEW_WORDS or CODE_MARKS.search(prose(text))
    return None if is_free else unfinished(text)


@dataclass(frozen=True, slots=True)
class ResponseQuality:
    """Responses of a set by what they lack.

    Attributes:
        counts: By kind, all of them.
        responses: Responses that were looked at; rows without one are not among them.
    """

    counts: dict[Kind, int]
    responses: int

    @property
    def rate(self) -> Estimate | None:
        """Share of responses that lack something, in [0, 1]; lower is better."""
        return share(sum(self.counts.values()), self.responses)


def response_quality(rows: Iterable[tuple[str, str | None]]) -> ResponseQuality:
    """Count what the responses of (instruction, response) lack; None has no response."""
    return counted(shortfall(asked, reply) for asked, reply in rows if reply is not None)


def counted(found: Iterable[Shortfall | None]) -> ResponseQuality:
    """Count what responses lack; None lacks nothing."""
    looked_at = list(found)
    kinds = [each.kind for each in looked_at if each]
    return ResponseQuality({kind: kinds.count(kind) for kind in KINDS}, len(looked_at))


def _promise(response: str) -> str | None:
    language = language_of(response)
    if language is None or len(words(response)) > _PROMISE_WORDS:
        return None
    return excerpt(response) if language.promise.match(response) else None


def _too_short(instruction: str, response: str, target_share: float, least: int) -> str | None:
    language = language_of(instruction)
    if language is None or CODE_MARKS.search(response):
        return None
    count, target = len(words(response)), _target(instruction, language)
    if target is not None:
        return f"{count} words of {target}" if count < target_share * target else None
    is_long = language.long_form.search(instruction) and not language.brief.search(instruction)
    return f"{count} words for a long text" if is_long and count < least else None


def _target(instruction: str, language: Language) -> int | None:
    """Return the words that an instruction asks for at least; None: it names no such length."""
    match = language.target.search(instruction)
    if not match:
        return None
    if match["most"]:
        return 0
    return int(match["words"] or 0) or int(match["letters"]) // _LETTERS_OF_A_WORD
