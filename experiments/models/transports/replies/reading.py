"""One completion's body as a `Response`, or as the error that it means."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dspy.utils.exceptions import LMServerError

from autoevol.experiments.models.transports.errors import error_in_body
from autoevol.experiments.models.transports.protocol import FinishReason, Request, Response
from autoevol.experiments.models.transports.replies.content import text_of, thinking_of
from autoevol.experiments.models.transports.replies.finish import finish_reason_of
from autoevol.experiments.models.transports.replies.residue import sound_text, without_residue
from autoevol.experiments.models.transports.replies.thinking import split_thinking
from autoevol.experiments.models.transports.replies.usage import usage_of
from autoevol.experiments.models.transports.secrets import Secret

MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)
"""Errors of reading a body that is no reply, whatever its shape."""

_QUOTED = 200
"""Characters of a reply that a message quotes."""


def read_reply(
    body: Mapping[str, Any], request: Request, *, model: str, secret: Secret, seconds: float
) -> Response:
    """Return the reply that a chat completion holds.

    Args:
        body: As OpenAI has it, or in one of the many dialects of it.
        request: That it answers: what a prompt names is content, and usage may be estimated.
        model: Named in messages.
        secret: The API key, which a reply may repeat.
        seconds: Wall time of the request.

    Raises:
        LMError: The body holds an error, or no reply; by meaning, see `transports.errors`.
    """
    if error := error_in_body(body, model, secret):
        raise error
    try:
        return _reply(_Completion.of(body), request, secret, seconds)
    except MALFORMED as error:
        shown = secret.concealed_in(sound_text(str(body)))[:_QUOTED]
        raise LMServerError(f"{model}: malformed reply: {shown!r}") from error


@dataclass(frozen=True, slots=True)
class _Completion:
    """The first choice of a body.

    Attributes:
        message: With the content and what stands beside it.
        finish_reason: By meaning.
        word: The provider's own word for it.
        usage: As it came.
        confidence: See `Response`.
    """

    message: Mapping[str, Any]
    finish_reason: FinishReason
    word: str
    usage: object
    confidence: float | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "_Completion":
        choice = body["choices"][0]
        # The legacy form of a completion has a text and no message.
        message = choice.get("message") or {"content": choice["text"]}
        word = choice.get("finish_reason")
        return cls(
            message,
            "filter" if message.get("refusal") else finish_reason_of(word),
            str(word),
            body.get("usage"),
            _confidence(choice.get("logprobs")),
        )


def _reply(completion: _Completion, request: Request, secret: Secret, seconds: float) -> Response:
    message, finish_reason = completion.message, completion.finish_reason
    prompt = "\n".join(turn["content"] for turn in request.messages)
    whole = _clean(text_of(message.get("content")), secret)
    split = split_thinking(whole, prompt, is_cut=finish_reason == "length")
    beside = _clean(thinking_of(message), secret)
    thinking = "\n\n".join(filter(None, (beside, split.thinking)))
    text = without_residue(split.text, prompt)
    usage = usage_of(completion.usage, prompt=prompt, reply=f"{thinking}{whole}")
    problem = _problem(completion, text, thinking, secret)
    return Response(
        # The beginning of a filtered text is no rewrite and no answer; the message quotes it.
        text="" if finish_reason == "filter" else text,
        finish_reason=finish_reason,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        tokens_cached=usage.tokens_cached,
        seconds=seconds,
        confidence=completion.confidence,
        thinking=thinking,
        problem=problem,
        is_estimated=usage.is_estimated,
    )


def _problem(completion: _Completion, text: str, thinking: str, secret: Secret) -> str:
    """Return why a reply has no usable text, and what helps; "": it has one."""
    message = completion.message
    if completion.finish_reason == "filter":
        refusal = message.get("refusal")
        why = f"the model refused: {refusal}" if refusal else f"filtered ({completion.word})"
        return _clean(f"{why}; it began {text[:80]!r}" if text else why, secret)[:_QUOTED]
    if text:
        return ""
    if completion.finish_reason == "length":
        spent = "all tokens went into thinking" if thinking else "the token limit came first"
        return f"no text: {spent}; raise max_tokens, or let the model think less"
    if calls := message.get("tool_calls") or message.get("function_call"):
        return _clean(f"no text: the model called a tool instead ({calls})", secret)[:_QUOTED]
    return "no text: the model only thought" if thinking else ""


def _clean(text: str, secret: Secret) -> str:
    return secret.concealed_in(sound_text(text))


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
