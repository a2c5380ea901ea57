"""The interface of a transport: the request it sends and the response it returns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """One chat request for one reply.

    Attributes:
        messages: Turns with `role` and `content`.
        temperature: None: the provider's default.
        top_p: None: the provider's default.
        max_tokens: None: the provider's default.
        seed: Sent to providers that take one; None at temperature 0, where it decides nothing.
        response_format: In OpenAI's form; None for text.
    """

    messages: tuple[Message, ...]
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    response_format: Mapping[str, Any] | None = None

    @property
    def characters(self) -> int:
        """Characters of all turns."""
        return sum(len(message["content"]) for message in self.messages)

    def body(self) -> dict[str, Any]:
        """Return the request as OpenAI's chat body, without what is not set."""
        settings = {name: getattr(self, name) for name in _SETTINGS}
        present = {name: value for name, value in settings.items() if value is not None}
        return {"messages": list(self.messages), **present}


_SETTINGS = ("temperature", "top_p", "max_tokens", "seed", "response_format")


@dataclass(frozen=True, slots=True)
class Response:
    """A finished reply. Token counts are 0 where the provider does not send them.

    Attributes:
        text: Of the reply.
        finish_reason: In OpenAI's words: "stop", "length", "content_filter", …
        tokens_in: Prompt tokens, cached ones included.
        tokens_cached: Prompt tokens that the provider took from its prefix cache.
        seconds: Wall time of the request.
        confidence: Mean probability of the likeliest token at each position of the reply, in
            (0, 1]; None: the provider sent no log-probabilities.
    """

    text: str
    finish_reason: str
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    confidence: float | None = None


class Transport(Protocol):
    """Sends requests to one endpoint."""

    async def send(self, request: Request) -> Response:
        """Return the reply.

        Raises:
            LMError: By kind: `program.lm_errors.TRANSPORT_ERRORS` may be tried again, others not.
            AccessError: The key or the model is refused.
        """

    async def close(self) -> None:
        """Release connections and servers."""


MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
"""Errors of reading a body that is no reply, whatever its shape."""

_LARGEST = 2**53
"""Token counts from here on are an error of the provider, and SQLite holds none above 2**63."""


def response_from_openai(body: Mapping[str, Any], seconds: float) -> Response:
    """Read an OpenAI-compatible chat completion.

    Raises:
        ValueError, KeyError, IndexError, TypeError, AttributeError: The body is none.
    """
    choice, usage = body["choices"][0], body.get("usage") or {}
    details = usage.get("prompt_tokens_details") or {}
    return Response(
        text=_sound(choice["message"].get("content") or ""),
        finish_reason=choice.get("finish_reason") or "stop",
        tokens_in=_count(usage.get("prompt_tokens")),
        tokens_out=_count(usage.get("completion_tokens")),
        tokens_cached=_count(details.get("cached_tokens")),
        seconds=seconds,
        confidence=_confidence(choice.get("logprobs")),
    )


def _confidence(logprobs: Any) -> float | None:
    """Return the mean probability of the likeliest tokens; None: some position has none."""
    positions = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    try:
        return _mean_of_likeliest(positions) if positions else None
    except (*MALFORMED, OverflowError):  # the reply itself is usable, and paid
        return None


def _mean_of_likeliest(positions: Any) -> float | None:
    candidates = [position.get("top_logprobs") or () for position in positions]
    likeliest = [max((token["logprob"] for token in tokens), default=None) for tokens in candidates]
    chances = [math.exp(logprob) for logprob in likeliest if logprob is not None]
    return min(1.0, sum(chances) / len(chances)) if len(chances) == len(positions) else None


def _count(value: object) -> int:
    """Return a number of tokens; 0 where the value is none."""
    return value if isinstance(value, int) and 0 <= value < _LARGEST else 0


def _sound(text: str) -> str:
    """Replace halves of surrogate pairs: UTF-8 has no form for them."""
    return text.encode("utf-8", "replace").decode("utf-8")
