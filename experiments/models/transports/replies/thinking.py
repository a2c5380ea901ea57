"""Thinking that stands inside the text: servers without a reasoning parser send it so.

A model begins its reply with its thinking, so only the beginning is read: a tag further on belongs
to the text.
"""

import re
from dataclasses import dataclass

_CHANNELS = re.compile(
    r"<\|channel\|>\s*(?P<name>\w+)(?:(?!<\|message\|>).)*<\|message\|>(?P<text>.*?)"
    r"(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|<\|channel\|>|\Z)",
    re.DOTALL,
)
"""The messages of gpt-oss (the harmony format): `analysis` and `commentary`, then `final`."""

_STRIPPED_CHANNELS = re.compile(r"\s*analysis(?=[A-Z\s\"'])(.*?)assistantfinal(.*)", re.DOTALL)
"""The same where the server has taken the special tokens off, and left the names between them."""

_TAGS = tuple(
    (re.compile(opening), re.compile(closing))
    for opening, closing in (
        (r"<think>", r"</think>"),  # Qwen, DeepSeek, GLM and most others
        (r"<seed:think>", r"</seed:think>"),  # Seed-OSS
        (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
        (r"◁think▷", r"◁/think▷"),  # Kimi
        (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
        (r"<\|channel>thought\b", r"<channel\|>"),  # Gemma 4
        (r"<unused94>thought\b", r"<unused95>"),  # MedGemma
        (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # OpenThinker
    )
)
"""Marks that mean nothing else, as each model's template has them."""

_WORDS = ("thinking", "thought", "thoughts", "reasoning", "reflection", "scratchpad", "analysis")
"""Tags that some models use as well; a prompt may ask for a field of such a name."""


@dataclass(frozen=True, slots=True)
class SplitReply:
    """A reply, taken apart.

    Attributes:
        text: What follows the thinking.
        thinking: Without its tags.
    """

    text: str
    thinking: str


def split_thinking(reply: str, prompt: str, *, is_cut: bool) -> SplitReply:
    """Return the text and the thinking of a reply.

    Args:
        reply: As it came.
        prompt: All turns of the request. A tag with an ordinary word that the prompt names is the
            reply's own field, not thinking.
        is_cut: The reply hit its token limit, so an open tag may have lost its closing one.
    """
    if "<|channel|>" in reply:
        return _from_channels(reply)
    if stripped := _STRIPPED_CHANNELS.fullmatch(reply):
        return SplitReply(stripped[2].strip(), stripped[1].strip())
    for opening, closing in (*_TAGS, *_word_tags(reply, prompt)):
        parts = _split_at(reply, opening, closing, is_cut=is_cut)
        if parts and _is_thinking(parts, opening, prompt):
            return parts
    return SplitReply(reply, "")


def _from_channels(reply: str) -> SplitReply:
    messages = [(match["name"], match["text"].strip()) for match in _CHANNELS.finditer(reply)]
    # A prompt may end in the opening of a channel, so that the reply begins inside it.
    before = reply.split("<|channel|>", 1)[0]
    opening = re.split(r"<\|(?:start|end|message)\|>", before, maxsplit=1)[0].strip()
    thoughts = [opening, *(text for name, text in messages if name != "final")]
    final = [text for name, text in messages if name == "final"]
    return SplitReply("\n\n".join(final), "\n\n".join(filter(None, thoughts)))


def _word_tags(reply: str, prompt: str) -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    match = re.match(r"\s*<(\w+)>", reply)
    word = match[1].lower() if match else ""
    if word not in _WORDS or word in prompt.lower():
        return []
    return [(re.compile(f"<{word}>", re.IGNORECASE), re.compile(f"</{word}>", re.IGNORECASE))]


def _split_at(
    reply: str, opening: re.Pattern[str], closing: re.Pattern[str], *, is_cut: bool
) -> SplitReply | None:
    """Return the parts at one pair of tags; None: the reply does not begin with such thinking."""
    begin, end = opening.match(reply.lstrip()), closing.search(reply)
    if begin and end:
        return _parts(reply, opening, end)
    if begin:
        rest = reply.lstrip()[begin.end() :]
        # Without the closing tag all of it is thinking, unless the text goes on about the tag.
        return SplitReply("", rest.strip()) if is_cut or rest[:1].isspace() else None
    # Templates put the opening tag into the prompt; then the reply holds the closing one alone.
    if end and not opening.search(reply, 0, end.start()) and _ends_line(reply, end):
        return _parts(reply, opening, end)
    return None


def _is_thinking(parts: SplitReply, opening: re.Pattern[str], prompt: str) -> bool:
    """Tell whether the tags are marks: a prompt that speaks of them may get a text about them."""
    return not opening.search(prompt) or not parts.text or "\n" in parts.thinking


def _parts(reply: str, opening: re.Pattern[str], end: re.Match[str]) -> SplitReply:
    thinking = opening.sub("", reply[: end.start()], count=1)
    return SplitReply(reply[end.end() :].strip(), thinking.strip())


def _ends_line(reply: str, end: re.Match[str]) -> bool:
    """Tell whether a closing tag stands alone at an end of its line, as a mark and not a word."""
    before, after = reply[: end.start()], reply[end.end() :]
    is_at_start = not before.strip() or before.endswith("\n")
    return is_at_start or not after or after.startswith("\n")
