"""The failure rules of published systems, exact to their sources.

Sources: paper and author (arXiv 2406.00770, Appendix A and the authors' `is_false_string`),
WizardLM's four eliminations (arXiv 2304.12244), koevol's `check_failure`, joonavel's validator,
evol-teacher's `check_instruction` and `check_response`, h2o's `change_approved` and EvolKit's three
patterns. Details that look like slips (case, unstripped ends) are the sources' own. They are kept
so that published figures can be reproduced.
"""

import re
from collections.abc import Callable

from autoevol.metrics.failure.cases import Case
from autoevol.metrics.text.wording import words

Published = Callable[[Case], str | None]

# As in Table 5 of the paper. The text of its section 3.3 says "contains" and is looser; the table
# is the most precise statement.
_STAGNANT = ("Understood", "What", "That is correct", "Thank you", "Great")
_MORE_OPENINGS = ("I'm sorry", "Is there anything else", "As an AI assistant", "I understand")
# The third contains the second and so decides nothing; the paper lists it all the same.
_TEMPLATE_WORDS = ("given prompt", "rewritten prompt", "#rewritten prompt#")
_COPIED_CHARACTERS = 40
"""Characters at a method's start that prove a copy."""
_REPLACEMENT = "\ufffd"
_STOP_TOKENS = frozenset(
    """
    i me my we our you your he him his she her it its they them their what which who this that
    these those am is are was were be been being have has had do does did a an the and but if
    or because as until while of at by for with about to from in on so than too very can will
    just not no
    """.split()
)


def question_opening(openings: tuple[str, ...]) -> Published:
    """Return a detector: the response begins with one of `openings` and ends with "?".

    Case matters and nothing is stripped first, as in the authors' code.
    """

    def detect(case: Case) -> str | None:
        response = case.response or ""
        hit = next((opening for opening in openings if response.startswith(opening)), None)
        return f"{hit} … ?" if hit and response.endswith("?") else None

    return detect


def response_contains(phrase: str) -> Published:
    """Return a detector: the lower-cased response contains `phrase`."""
    # The authors' code ignores case here, but not in the openings.
    return lambda case: phrase if phrase in (case.response or "").lower() else None


stagnant_complexity = question_opening(_STAGNANT)
insufficient_qualification = question_opening(("Sure",))
loss_of_key_information = response_contains("please provide")
author_opening = question_opening(_MORE_OPENINGS)
not_possible = response_contains("not possible")


def response_matches(pattern: str) -> Published:
    """Return a detector: the response matches EvolKit's `pattern`, in any case."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def detect(case: Case) -> str | None:
        match = compiled.search(case.response or "")
        return match.group(0)[:80] if match else None

    return detect


# EvolKit misses plain refusals that end without "?", and empty replies; so do these.
evolkit_stagnant = response_matches(r"\b(understood|thank you|noted|got it|okay|alright)\b.*\?$")
evolkit_unqualified = response_matches(
    r"\b(sure|certainly|of course|happy to help)\b.*\?$|what do you mean|could you explain"
)
evolkit_lost = response_matches(
    r"please provide|need more information|could you clarify|what exactly"
)


def short_apology(case: Case) -> str | None:
    """WizardLM: the response says "sorry" and has fewer than 80 words."""
    response = case.response or ""
    count = len(response.split())
    return f"sorry in {count} words" if "sorry" in response.lower() and count < 80 else None


def only_stop_words(case: Case) -> str | None:
    """WizardLM: the response consists of punctuation and stop words only."""
    if case.response is None or any(word not in _STOP_TOKENS for word in words(case.response)):
        return None
    return f"nothing said: {case.response[:60]!r}"


def copied_template(case: Case) -> str | None:
    """WizardLM: the rewrite copies words of the evolving prompt's template."""
    text = (case.evolved or "").lower()
    return next((phrase for phrase in _TEMPLATE_WORDS if phrase in text), None)


def koevol_filter(case: Case) -> str | None:
    """Koevol's filter, the same for rewrites and responses."""
    # Answers are filtered, too, as in the source, which loses 46 % of them: a likely cause is the
    # ban on vendors' names.
    is_response = case.response is not None
    before = (case.evolved if is_response else case.source) or ""
    after = (case.response if is_response else case.evolved) or ""
    lowered = after.lower()
    checks = {
        "same text": after == before,
        "line breaks": after.count("\n") > 2 * after.count(" "),
        "#Rewritten Prompt#": "#Rewritten Prompt#" in after,
        "rewritten prompt": "rewritten prompt" in lowered,
        "openai": "openai" in lowered,
        "deepseek": "deepseek" in lowered,
        "gpt": "gpt" in lowered and "gpt" not in before,
        "apology": _koevol_apology(before, after),
        "U+FFFD": _REPLACEMENT in after and _REPLACEMENT not in before,
    }
    return next((name for name, hit in checks.items() if hit), None)


def idk_or_garbled(case: Case) -> str | None:
    """joonavel: the response is exactly "IDK" or contains the replacement character U+FFFD."""
    response = case.response or ""
    if response == "IDK":
        return "IDK"
    return "U+FFFD" if _REPLACEMENT in response else None


def h2o_change(case: Case) -> str | None:
    """h2o-wizardlm: changes that its `change_approved` refuses."""
    before, after = case.source, case.evolved or ""
    lowered = after.lower()
    phrases = ("new prompt", "how can i assist", "as an ai", "ai assistant")
    checks = {
        "same text": after == before,
        "line breaks": after.count("\n") > 2 * after.count(" "),
        "list": after.count("\n- ") > 10,
        "the method's own words": bool(case.method) and case.method[:_COPIED_CHARACTERS] in after,
        **{phrase: phrase in lowered for phrase in phrases},
        "i'm sorry": "i'm sorry" in lowered
        and "i'm sorry" not in before.lower()
        and len(after) < 400,
    }
    return next((name for name, hit in checks.items() if hit), None)


def teacher_instruction(case: Case) -> str | None:
    """evol-teacher: a rewrite of at most three words, of 1,000 tokens, or not ASCII at first."""
    return _teacher_text(case.evolved or "", case.tokens_out, 1000)


def teacher_response(case: Case) -> str | None:
    """evol-teacher: the same for a response, whose call may have 2,000 tokens in total."""
    return _teacher_text(case.response or "", case.tokens_total, 2000)


def _teacher_text(text: str, tokens: int, limit: int) -> str | None:
    if not text.strip():
        return "empty"
    if len(text.split()) <= 3:
        return f"{len(text.split())} words"
    # This refuses nearly every Korean text, as the source does.
    if not text[0].isascii():
        return f"begins with {text[0]!r}"
    return f"{tokens} tokens" if tokens >= limit else None


def _koevol_apology(before: str, after: str) -> bool:
    return "죄송하지만" in after and "죄송" not in before and len(after) < len(before)
