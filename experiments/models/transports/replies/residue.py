"""What does not belong to a text: chat-template tokens at its ends, and control characters.

A template's token is kept where the prompt speaks of it: there it is the subject of the text.
"""

import re

# Special tokens look alike in all vocabularies: <|name|>, DeepSeek's <｜name｜>, and a few others.
_TOKEN = (
    r"<\|[A-Za-z0-9_ ]{2,40}\|>|<｜[^｜<>]{2,40}｜>|<(?:end_of_turn|turn\|)>|<\|turn>"
    r"|<(?:eos|bos|pad)>|</?s>|\[/?INST\]|\[EOS\]"
)
_LAST = re.compile(rf"(?:{_TOKEN})\s*\Z")
_LONGEST = 64
"""Characters of the longest token with white space behind it."""

_FIRST = re.compile(
    rf"\s*(?:(?:{_TOKEN}|<start_of_turn>)[ \t]*(?:(?:assistant|model)[ \t]*(?=\n|<))?"
    r"|(?:assistant|ASSISTANT|model)[ \t]*:?[ \t]*\r?\n)\s*"
)
"""A token, the role that some templates write behind it, or the role on a line of its own."""

# Everything below space but tab and the line ends, delete, and the controls of Latin-1. Terminals
# obey them, SQLite's and other tools' readers end a text at NUL.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
"""Characters without a form; a text of these alone is empty."""


def sound_text(text: str) -> str:
    """Return a text without control characters and without halves of surrogate pairs."""
    # UTF-8 has no form for half a pair; "?" is what Python's own replacement puts there.
    return _CONTROLS.sub("", text.encode("utf-8", "replace").decode("utf-8"))


def without_residue(text: str, prompt: str) -> str:
    """Return a text without template tokens at its ends, and without invisible characters there.

    Args:
        text: Of a reply.
        prompt: All turns of the request; a token that they name is kept.
    """
    text = _trimmed(text)
    while (match := _FIRST.match(text)) and match.end() and not _is_named(match[0], prompt, text):
        text = _trimmed(text[match.end() :])
    while (match := _LAST.search(text, max(0, len(text) - _LONGEST))) and not _is_named(
        match[0], prompt, text
    ):
        text = _trimmed(text[: match.start()])
    return text


def _trimmed(text: str) -> str:
    stripped = text.strip(_INVISIBLE)
    # White space at the ends may be part of the text, code for example; it stays.
    return stripped if stripped.strip() else ""


def _is_named(token: str, prompt: str, text: str) -> bool:
    """Tell whether a token is a subject of the text: the prompt names it, or it is HTML."""
    name = token.strip()
    if name in ("<s>", "</s>"):
        # Also HTML's strike-through: pairs inside a text belong to it, one around all of it is the
        # begin and the end of the sequence.
        count = text.count("<s>")
        is_wrapping = count == 1 and text.startswith("<s>") and text.endswith("</s>")
        return count == text.count("</s>") > 0 and not is_wrapping
    return not name[0].isalpha() and name in prompt
