"""Finish reasons by meaning: providers have a word of their own for each."""

from autoevol.experiments.models.transports.protocol import FinishReason

_LENGTH = frozenset(
    {
        *("length", "max_tokens", "max_token", "model_length", "max_output_tokens", "max_length"),
        *("max_new_tokens", "max_completion_tokens", "token_limit", "limit", "incomplete"),
        *("model_context_window_exceeded", "context_length", "length_capped"),
    }
)
_FILTER = frozenset(
    {
        *("content_filter", "content_filtered", "contentfilter", "content_policy", "filter"),
        *("safety", "recitation", "prohibited_content", "blocklist", "spii", "language"),
        *("image_safety", "refusal", "guardrail_intervened", "guardrails", "sensitive"),
        *("moderation", "blocked", "toxic", "error_toxic", "model_armor", "policy_violation"),
    }
)
_TOOL = frozenset({"tool_calls", "tool_call", "tool_use", "function_call", "tool"})


def finish_reason_of(value: object) -> FinishReason:
    """Return what a provider's finish reason means; an unknown one is an ordinary end."""
    # Gemini's proxies send FinishReason.MAX_TOKENS, vLLM a lower-case word, some a hyphen.
    name = str(value or "stop").rsplit(".", 1)[-1].strip().lower().replace("-", "_")
    if name in _LENGTH:
        return "length"
    if name in _FILTER:
        return "filter"
    return "tool" if name in _TOOL else "stop"
