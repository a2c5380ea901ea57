"""Which language a text in Latin letters is in, by py3langid; only where it can be sure."""

from functools import lru_cache
from typing import Any

from metrics.wording import STOP_WORDS, words

_LEAST_WORDS = 5
_CANDIDATES = "en es fr de it pt nl sv da pl cs tr id vi ro".split()
_SURE = 0.995


@lru_cache(maxsize=512)
def latin_language(text: str) -> str | None:
    """Return the ISO 639-1 code of the language; None for a text too short or too odd to tell."""
    tokens = words(text)
    if tokens and 5 * sum(map(STOP_WORDS.__contains__, tokens)) >= len(tokens):
        return "en"
    if sum(map(str.isalpha, tokens)) < max(_LEAST_WORDS, len(tokens) / 2):
        return None
    code, probability = _identifier().classify(" ".join(tokens))
    return str(code) if probability >= _SURE else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_CANDIDATES)
    return identifier
