"""Detectors of responses that answer nothing, and of refusals at both stages."""

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.published import only_stop_words as _only_stop_words
from autoevol.metrics.text.languages import Language, language_of, speech_of
from autoevol.metrics.text.languages.phrases import Phrases
from autoevol.metrics.text.languages.roles import MESSAGE, MODEL, OFFER, ROLE
from autoevol.metrics.text.wording import normal_form, prose, sentences, shingles, words

_QUOTES = ('"', "“", "«", "„", "「", "『", "‘")
_ECHO_RUN = 5
_FEW_WORDS = 3
_OPENING = 300
"""Characters in which a refusal must begin."""
# Marks, and the last syllables of Korean requests: the instruction is complete.
_PROMPT_ENDS = tuple('. ? ! 。 ？ : " ` ) 다 요 오 줘 라 까 자 은'.split())
_YES_OR_NO = {"yes", "no", "네", "예", "아니요"}


def refusal(case: Case) -> str | None:
    """The stage's text begins by declining the task or talking about policy."""
    # The search for a role takes longest, and few texts decline.
    refused = _declines(case)
    return refused if refused and not _is_in_role(case) else None


def declined_in_role(case: Case) -> str | None:
    """The response declines, where the task sets a role or asks for a message: it may be right."""
    refused = _declines(case)
    return refused if refused and _is_in_role(case) else None


def _declines(case: Case) -> str | None:
    # Quoted words are somebody else's: an example of how to decline, a line of a story.
    if case.after.lstrip().startswith(_QUOTES):
        return None
    for speech in _speeches(case):
        match = speech.refusal.search(case.after, 0, _OPENING)
        if match and normal_form(match.group(0)) not in normal_form(case.before):
            return excerpt(match.group(0))
    return None


def _is_in_role(case: Case) -> bool:
    """Tell whether somebody else than the model may say the response's first words."""
    task = case.evolved or ""
    if case.response is None or MODEL.search(case.response, 0, _OPENING):
        return False
    return bool(ROLE.search(task) or MESSAGE.search(task))


def dont_know(case: Case) -> str | None:
    """The response says only that it does not know."""
    reply = (case.response or "").strip()
    is_ignorant = any(speech.dont_know.match(reply) for speech in _speeches(case))
    return excerpt(reply) if is_ignorant else None


def asks_for_input(case: Case, *, opening_sentences: int = 2, long_words: int = 80) -> str | None:
    """The response asks for something that the instruction should have contained.

    Args:
        case: Letters, forms and dialogues may ask for things after their first sentences.
        opening_sentences: Sentences that are searched for the question.
        long_words: A longer response does its work, whatever it asks for.
    """
    reply = case.response or ""
    if len(words(reply)) > long_words:
        return None
    opening = " ".join(sentences(prose(reply))[:opening_sentences])
    for speech in _speeches(case):
        match = speech.asks_for_input.search(opening)
        if match and match.group(0) not in (case.evolved or ""):
            return None if _is_message(case, reply) else excerpt(match.group(0))
    return None


def _is_message(case: Case, reply: str) -> bool:
    """Tell whether a reply is a message that was asked for; an offer of help opens none."""
    language = language_of(case.evolved or "")
    message = language.message if language else MESSAGE
    return bool(message.search(case.evolved or "")) and not OFFER.match(reply)


def confirmed_only(case: Case, *, most_words: int = 30) -> str | None:
    """The response only confirms, greets or asks back.

    Args:
        case: At the respond stage.
        most_words: A longer response is not a mere confirmation.
    """
    reply = (case.response or "").strip()
    language = language_of(reply)
    if not reply or language is None or len(words(reply)) > most_words:
        return None
    only_confirms = all(language.confirmation.match(sentence) for sentence in sentences(reply))
    return (
        excerpt(reply)
        if only_confirms and not _is_short_answer(case.evolved or "", reply)
        else None
    )


def echo(case: Case, *, share: float = 0.8) -> str | None:
    """The response repeats its instruction.

    Args:
        case: A task to edit a text is answered with most of it, so its response is no echo.
        share: Of the response's runs of words that occur in the instruction, in [0, 1]; 0.2 less
            if the response begins as the instruction does.
    """
    reply, prompt = case.response or "", case.evolved or ""
    if not reply.strip():
        return None
    if normal_form(reply) == normal_form(prompt):
        return "the instruction"
    new_words = set(words(reply)) - set(words(prompt))
    if len(words(reply)) < share * len(words(prompt)) or 2 * len(new_words) > len(words(reply)):
        return None
    # Editing keeps most of its material.
    language = language_of(prompt)
    if language and language.edits.search(prompt):
        return None
    runs = shingles(prose(reply), _ECHO_RUN)
    common = runs & shingles(prompt, _ECHO_RUN)
    least = share - 0.2 if words(reply)[:2] == words(prompt)[:2] else share
    is_echo = len(runs) > 3 and len(common) >= least * len(runs)
    return f"{len(common)} of {len(runs)} runs are the instruction's" if is_echo else None


def continued(case: Case) -> str | None:
    """The response continues the instruction as if it were a text to be completed."""
    reply, prompt = (case.response or "").strip(), (case.evolved or "").rstrip()
    first = reply[:1]
    is_open = not prompt.endswith(_PROMPT_ENDS)
    # Scripts without case have no lower-case first letter; a few words may be a plain answer.
    continues = first in ",;)" or (first.islower() and first.isascii() and len(words(reply)) > 8)
    if not (first and is_open and continues):
        return None
    language = language_of(prompt)
    is_code = language and language.wants_code.search(prompt)
    return None if is_code else excerpt(reply[:60])


def says_nothing(case: Case) -> str | None:
    """The response consists of punctuation and stop words only."""
    # One to three stop words ("It is") may be an answer.
    count = len(words(case.response or ""))
    return _only_stop_words(case) if count == 0 or count > _FEW_WORDS else None


def _speeches(case: Case) -> list[Language | Phrases]:
    """Return the tables of the stage's text and of the text before it.

    A reply of a few words does not show its language; its prompt does.
    """
    speeches = (speech_of(case.after), speech_of(case.before))
    return list({id(speech): speech for speech in speeches if speech}.values())


def _is_short_answer(prompt: str, reply: str) -> bool:
    """Tell whether the reply is a yes or no, with its reason, to a question."""
    return words(reply)[0] in _YES_OR_NO and prompt.rstrip().endswith("?")
