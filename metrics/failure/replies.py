"""Detectors of responses that answer nothing; the refusal is one for rewrites too."""

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.published import only_stop_words as _only_stop_words
from autoevol.metrics.text.languages import language_of
from autoevol.metrics.text.wording import normal_form, prose, sentences, shingles, words

_ECHO_RUN = 5
_FEW_WORDS = 3
_OPENING = 300
_PROMPT_ENDS = tuple('. ? ! 。 ？ : " ` ) 다 요 오 줘 라 까 자 은'.split())
_YES_OR_NO = {"yes", "no", "네", "예", "아니요"}


def refusal(case: Case) -> str | None:
    """The stage's text begins by declining the task, or by talking about policy."""
    language = language_of(case.after)
    match = language.refusal.search(case.after, 0, _OPENING) if language else None
    if not match or normal_form(match.group(0)) in normal_form(case.before):
        return None
    return excerpt(match.group(0))


def dont_know(case: Case) -> str | None:
    """The response says only that it does not know."""
    reply = (case.response or "").strip()
    language = language_of(reply)
    match = language.dont_know.match(reply) if language else None
    return excerpt(reply) if match else None


def asks_for_input(case: Case, *, opening_sentences: int = 2, long_words: int = 80) -> str | None:
    """The response asks for something that the instruction should have held.

    Args:
        case: Letters, forms and dialogues may ask for things, but not in their first sentences.
        opening_sentences: Where the question is looked for.
        long_words: A longer response does its work, whatever it asks.
    """
    reply = case.response or ""
    language = language_of(reply)
    asked = language_of(case.evolved or "")
    if language is None or len(words(reply)) > long_words:
        return None
    opening = " ".join(sentences(prose(reply))[:opening_sentences])
    match = language.asks_for_input.search(opening)
    if not match or match.group(0) in (case.evolved or ""):
        return None
    is_wanted = asked and asked.message.search(case.evolved or "")
    return None if is_wanted else excerpt(match.group(0))


def confirmed_only(case: Case, *, most_words: int = 30) -> str | None:
    """The response only confirms, or greets, or asks back.

    Args:
        case: At the respond stage.
        most_words: A longer response says more than that.
    """
    reply = (case.response or "").strip()
    language = language_of(reply)
    if not reply or language is None or len(words(reply)) > most_words:
        return None
    only = all(language.confirmation.match(sentence) for sentence in sentences(reply))
    return excerpt(reply) if only and not _is_short_answer(case.evolved or "", reply) else None


def echo(case: Case, *, share: float = 0.8) -> str | None:
    """The response gives its instruction back.

    Args:
        case: A task to change a text is answered with most of it. A reply that begins as the
            instruction does needs a fifth less.
        share: Of the response's runs of words that stand in the instruction, in [0, 1].
    """
    reply, prompt = case.response or "", case.evolved or ""
    if not reply.strip():
        return None
    if normal_form(reply) == normal_form(prompt):
        return "the instruction"
    mine_alone = set(words(reply)) - set(words(prompt))
    if len(words(reply)) < share * len(words(prompt)) or 2 * len(mine_alone) > len(words(reply)):
        return None
    asked = language_of(prompt)
    if asked and asked.edits.search(prompt):
        return None
    mine = shingles(prose(reply), _ECHO_RUN)
    common = mine & shingles(prompt, _ECHO_RUN)
    needed = share - 0.2 if words(reply)[:2] == words(prompt)[:2] else share
    is_echo = len(mine) > 3 and len(common) >= needed * len(mine)
    return f"{len(common)} of {len(mine)} runs are the instruction's" if is_echo else None


def continued(case: Case) -> str | None:
    """The response goes on with the instruction as if it were a text to be completed."""
    reply, prompt = (case.response or "").strip(), (case.evolved or "").rstrip()
    first = reply[:1]
    is_open = not prompt.endswith(_PROMPT_ENDS)
    goes_on = first in ",;)" or (first.islower() and first.isascii() and len(words(reply)) > 8)
    if not (first and is_open and goes_on):
        return None
    asked = language_of(prompt)
    is_code = asked and asked.wants_code.search(prompt)
    return None if is_code else excerpt(reply[:60])


def says_nothing(case: Case) -> str | None:
    """The response holds nothing but punctuation and stop words."""
    count = len(words(case.response or ""))
    return _only_stop_words(case) if count == 0 or count > _FEW_WORDS else None


def _is_short_answer(prompt: str, reply: str) -> bool:
    """Tell whether a plain yes or no, with its reason, is what the prompt asks for."""
    return words(reply)[0] in _YES_OR_NO and prompt.rstrip().endswith("?")
