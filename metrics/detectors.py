"""The structural detectors: one small pure function per kind of failure.

A detector takes a `Case` and returns the evidence for a failure, or None. Those named after a
published system are in `metrics.published`.
"""

import re
from collections import Counter

from metrics.asking import asks, last_statement
from metrics.cases import Case
from metrics.scripts import dominant_script, script_counts, script_of
from metrics.wording import content_words, normal_form, numbers, quotations, shingles, words

_RESIDUE = re.compile(
    r"\[\[\s*##|##\s*\]\]|\{(?:evolved_instruction|instruction|response|thinking)\}"
)
_LEAKS = re.compile(
    r"#\s*(?:the\s+)?(?:given|rewritten|finally rewritten|final rewritten|created|new)?\s*"
    r"(?:prompt|instruction|methods list|plan)\s*#"
    r"|\b(?:re-?written|evolved|harder|more complex|original|given)\s+"
    r"(?:version\s+of\s+(?:the|this)\s+)?(?:instruction|prompt)s?\b"
    r"|\b(?:do not|don't|without) (?:answer|solv)(?:e|ing)? (?:it|(?:the|this) instruction)\b"
    r"|^\s*(?:#\s*)?step \d+\s*[:#]"
    r"|(?:더 어려운|수정된|재작성된|주어진) (?:지시|지시문|명령|프롬프트)",
    re.IGNORECASE | re.MULTILINE,
)
_PREAMBLE = re.compile(
    r"^\s*(?:sure|certainly|of course|okay|here is|here's|here are|i have|i've|let's|"
    r"to solve|to answer|the answer|the solution|answer:|solution:|"
    r"물론|네[,.!]|다음은|정답은|답은)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"^\W*(?:(?:i['’]?m|i am) (?:sorry|unable|not able|afraid)"
    r"|i (?:can(?:['’]?t|not)|won['’]?t|do not|don['’]?t have)\b"
    r"|sorry\b|unfortunately,? i\b|as an ai\b|my apologies|죄송|미안하지만|저는 ai|ai 언어 ?모델)",
    re.IGNORECASE,
)
_ASKS_FOR_INPUT = re.compile(
    r"please (?:provide|share|specify|send|give me|tell me)"
    r"|could you (?:please )?(?:provide|clarify|share)"
    r"|need more (?:information|details|context)|not provided|알려 ?주시면|제공해 ?주(?:세요|시면)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"```|^\s*(?:def|class|import|from|public|function|const|var|let|#include|<!doctype|<html)\b[^\n]*[:;{>)]"
    r"|^\s*(?:select|insert|update|create table)\b[^\n]*;",
    re.IGNORECASE | re.MULTILINE,
)
_SOLVED = re.compile(r"[-+*/×÷]\s*[\d.,]+\s*=\s*[-$€₩]?\d+(?:[.,]\d+)*(?![\w(])")
_TRANSLATION = re.compile(
    r"translat|번역|\b(?:in|into|to) (?:english|korean|spanish|french|german|japanese|chinese"
    r"|arabic|russian|italian|greek|hebrew|hindi|thai)\b|(?:영어|한국어|일본어|중국어|스페인어)로",
    re.IGNORECASE,
)
_LEAK_RUN = 7
_NEW_WORDS = 3
_ADDED_WORDS = 6
_REPEATED_RUN = 6
_KNOWN_SCRIPTS = {"latin", "other"}


def unparsed(case: Case) -> str | None:
    """The reply has no evolved instruction in it."""
    return f"reply: {case.raw[:80]!r}" if case.evolved is None else None


def empty(case: Case) -> str | None:
    """The stage's text is empty or white space."""
    text = case.evolved if case.response is None else case.response
    return "empty text" if text is not None and not text.strip() else None


def unchanged(case: Case) -> str | None:
    """The rewrite is its source again, or says the same with next to nothing added."""
    if not case.evolved or not case.evolved.strip():
        return None
    if normal_form(case.evolved) == normal_form(case.source):
        return "same text"
    new = content_words(case.evolved) - content_words(case.source)
    added = Counter(words(case.evolved)) - Counter(words(case.source))
    little = len(new) < _NEW_WORDS and added.total() < _ADDED_WORDS
    return f"only new: {', '.join(sorted(new)) or 'nothing'}" if little or not new else None


def truncated(case: Case) -> str | None:
    """The reply hit its token limit."""
    return f"cut at {case.tokens_out or 'the'} tokens" if case.truncated else None


def prompt_leak(case: Case) -> str | None:
    """The rewrite talks about rewriting, or copies a run of words from the method."""
    text = case.evolved or ""
    match = _LEAKS.search(text)
    if match and match.group(0).casefold() not in case.source.casefold():
        return match.group(0).strip()
    copied = shingles(text, _LEAK_RUN) & shingles(case.method, _LEAK_RUN)
    copied -= shingles(case.source, _LEAK_RUN)
    return f"from the method: {min(copied)!r}" if copied else None


def field_residue(case: Case) -> str | None:
    """A field marker or an unfilled slot of the prompt stands in the text."""
    match = _RESIDUE.search(case.evolved or "")
    return match.group(0) if match and match.group(0) not in case.source else None


def answered(case: Case) -> str | None:
    """The rewrite answers its source instead of asking for something harder."""
    text = case.evolved or ""
    if not text.strip():
        return None
    for pattern in (_PREAMBLE, _CODE, _SOLVED):
        match = pattern.search(text)
        if match and not pattern.search(case.source):
            return match.group(0).strip()[:80]
    return None if asks(text) else f"asks for nothing: {last_statement(text)!r}"


def lost_details(case: Case) -> str | None:
    """A number or a quotation of the source is missing from the rewrite."""
    if not case.evolved:
        return None
    gone = sorted(numbers(case.source) - numbers(case.evolved))
    gone += [q for q in quotations(case.source) if normal_form(q) not in normal_form(case.evolved)]
    return f"missing: {', '.join(gone)}" if gone else None


def refusal(case: Case) -> str | None:
    """The stage's text declines the task."""
    match = _REFUSAL.search((case.evolved if case.response is None else case.response) or "")
    return match.group(0) if match else None


def asks_for_input(case: Case) -> str | None:
    """The response asks for something that the instruction should have held."""
    match = _ASKS_FOR_INPUT.search(case.response or "")
    return match.group(0) if match else None


def language_drift(case: Case) -> str | None:
    """The text is in another script than what it was made from, or mixes one in."""
    before, after = _before_and_after(case)
    if _TRANSLATION.search(before):
        return None
    was, now = dominant_script(before), dominant_script(after)
    if was and now and was != now and not _CODE.search(after):
        return f"{was} became {now}"
    foreign = set(script_counts(after)) - set(script_counts(before)) - _KNOWN_SCRIPTS
    strays = [char for char in after if char.isalpha() and script_of(char) in foreign]
    return f"stray {''.join(strays[:10])!r}" if len(strays) > 1 else None


def repeated(case: Case) -> str | None:
    """A run of six words stands in the text three times or more."""
    tokens = words((case.evolved if case.response is None else case.response) or "")
    runs = Counter(tuple(tokens[i : i + _REPEATED_RUN]) for i in range(len(tokens) - 5))
    run, times = max(runs.items(), key=lambda item: item[1], default=((), 0))
    return f"{times} times {' '.join(run)!r}" if times > 2 else None


def _before_and_after(case: Case) -> tuple[str, str]:
    if case.response is None:
        return case.source, case.evolved or ""
    return case.evolved or "", case.response
