"""Token counts of a reply: as the provider sends them, else estimated from the texts."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LARGEST = 2**53
"""Token counts from here on are an error of the provider, and SQLite holds none above 2**63."""

CHARACTERS_PER_TOKEN = 4.0
"""Of a text in an alphabet, for common vocabularies."""

# Of the East Asian scripts, about a token a character.
_WIDE = re.compile(
    r"[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one call; see `Response`."""

    tokens_in: int
    tokens_out: int
    tokens_cached: int
    is_estimated: bool


def usage_of(usage: object, *, prompt: str, reply: str) -> Usage:
    """Return the token counts of a call.

    Args:
        usage: What the provider sent: a mapping, or anything else.
        prompt: All turns of the request, for the estimate.
        reply: The text and the thinking of the reply, for the estimate.
    """
    counts: Mapping[str, Any] = usage if isinstance(usage, Mapping) else {}
    details = counts.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    tokens_in = _count(counts.get("prompt_tokens")) or _count(counts.get("input_tokens"))
    tokens_out = _count(counts.get("completion_tokens")) or _count(counts.get("output_tokens"))
    # A reply without text may have no tokens; a prompt always has some.
    is_missing = not tokens_in or (not tokens_out and bool(reply))
    return Usage(
        tokens_in or estimated_tokens(prompt),
        tokens_out or estimated_tokens(reply),
        min(_count(cached), tokens_in),
        is_missing,
    )


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has; 0 only for an empty one."""
    wide = len(_WIDE.findall(text))
    return math.ceil((len(text) - wide) / CHARACTERS_PER_TOKEN) + wide


def _count(value: object) -> int:
    """Return a number of tokens, also one that was sent as 40.0 or "40"; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0
    return int(number) if number.is_integer() and 0 <= number < _LARGEST else 0
