"""The interface of a transport: the request it sends and the response it returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Message = dict[str, str]

FinishReason = Literal["stop", "length", "filter", "tool"]
"""Why a reply ended: by itself, at its token limit, by a content filter or a refusal, in a call of
a tool."""


MOST_REPLY_BYTES = 16 * 2**20
"""Default of `max_reply_bytes`: far more than any reply, far less than a machine's memory."""


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
    """A finished reply.

    Attributes:
        text: Of the reply, without thinking and without tokens of the chat template; "" where the
            model gave none.
        finish_reason: See `FinishReason`.
        tokens_in: Prompt tokens, cached ones included.
        tokens_cached: Prompt tokens that the provider took from its prefix cache.
        seconds: Wall time of the request.
        confidence: Mean probability of the likeliest token at each position of the reply, in
            (0, 1]; None: the provider sent no log-probabilities.
        thinking: What the model thought before its text; "": the provider sent nothing of it.
        problem: Why there is no text, and what helps; "": there is one.
        is_estimated: The token counts are estimated from the texts: the provider sent none.
        price_share: Share of the model's price that the provider asks for it.
    """

    text: str
    finish_reason: FinishReason = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0
    confidence: float | None = None
    thinking: str = ""
    problem: str = ""
    is_estimated: bool = False
    price_share: float = 1.0


class Closing(Protocol):
    """Holds something on the engine's loop."""

    async def close(self) -> None:
        """Release connections and servers."""


class Transport(Closing, Protocol):
    """Sends requests to one endpoint."""

    async def send(self, request: Request) -> Response:
        """Return the reply.

        Raises:
            LMError: By meaning, see `transports.errors`.
        """
