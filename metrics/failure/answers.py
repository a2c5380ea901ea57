"""Detectors of rewrites that answer, leak the answer or leak the method."""

import re

from autoevol.metrics.failure.cases import Case, excerpt
from autoevol.metrics.failure.word_problems import asks_for_amount, is_word_problem
from autoevol.metrics.text.languages import Language, code_in_use, language_of, speech_of
from autoevol.metrics.text.languages.rewriting_talk import OPENING, REWRITING_TALK
from autoevol.metrics.text.wording import (
    listed,
    normal_form,
    prose,
    sentences,
    shingles,
    stems,
    words,
)

_CODE = re.compile(
    r"```|^[ \t]*(?:def|class|import|from|public|function|const|var|let|#include|<!doctype|<html"
    r"|<form|<div)\b[^\n]{0,200}[:;{>)]|^[ \t]*(?:select|insert|update|create table)\b[^\n]{0,300};"
    r"|^[ \t]*(?:print\s?\(|console\.log)|^[ \t]*return\b[^\n]{0,60};|=>\s*\{",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = r"\(?[$€₩]?\d[\d.,]{0,15}\s?%?\)?"
# A calculation with its result. It must not be the tail of a longer expression, and a bare equation
# ("3x + 7 = 25") is a task.
_SOLVED = re.compile(
    rf"(?<![\w.^)+*/×÷-])(?<![+*/×÷-]\s)-?{_NUMBER}(?:\s?[-+*/×÷x]\s?{_NUMBER}){{1,8}}\s?(?:=|는|은)\s?[-$€₩]{{0,2}}\d"
)
_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)]|#{1,6})[ \t]+\S", re.MULTILINE)
_SOLVES = re.compile(r"\s{0,8}(?:to|풀이)\b", re.IGNORECASE)
_METHOD_RUN = 7

_INTRODUCED = re.compile("[^\n]{0,200}[:：—]")


def prompt_leak(case: Case, *, run: int = _METHOD_RUN) -> str | None:
    """The rewrite talks about rewriting, or copies from the method.

    Args:
        case: Whatever its source says may be repeated.
        run: This many words in a row of the method's text are a copy.
    """
    text = case.evolved or ""
    language = speech_of(text)
    source_stems = stems(case.source)
    for match in language.leak.finditer(text) if language else ():
        # An instruction about prompts may speak of prompts.
        if not source_stems & stems(" ".join(words(match.group(0))[-1:])):
            return excerpt(match.group(0))
    talk = ideas_of_rewriting(case)
    if len(talk) > 1:
        return excerpt(", ".join(talk))
    copied = shingles(text, run) & shingles(case.method, run) if case.method else frozenset()
    copied = copied - shingles(case.source, run) if copied else copied
    # The least one: sets of strings have another order in each process, evidence must not.
    return f"from the method: {min(copied)!r}" if copied else None


def rewriting_talk(case: Case) -> str | None:
    """The rewrite seems to talk about itself: it names an original request or a harder version."""
    talk = ideas_of_rewriting(case)
    return excerpt(talk[0]) if len(talk) == 1 and _introduces(case.evolved or "", talk[0]) else None


def ideas_of_rewriting(case: Case) -> list[str]:
    """Return what the opening of a rewrite says of how it was made, one span for each idea."""
    ideas = REWRITING_TALK.get(code_in_use(case.evolved or ""), ())
    matches = (idea.search(case.evolved or "", 0, OPENING) for idea in ideas)
    source = normal_form(case.source)
    # An instruction about a request may go on to speak of it.
    return [m.group(0) for m in matches if m and normal_form(m.group(0)) not in source]


def _introduces(text: str, talk: str) -> bool:
    """Tell whether a colon follows: what is introduced may be the instruction itself."""
    return bool(_INTRODUCED.search(text, text.find(talk)))


def answered(case: Case, *, items: int = 3) -> str | None:
    """The rewrite answers its source instead of asking for something harder.

    What `replied` and `no_request` find, in one rule, as the set `strict-2026-11` has it.

    Args:
        case: Code, lists and openings that its source also has are no sign.
        items: This many items of a list, without a task before or after them, are an answer.
    """
    text, language = case.evolved or "", language_of(case.source)
    if not text.strip() or language is None:
        return None
    return (
        _opens_as_reply(text, case.source, language)
        or _is_code(text, case.source)
        or asks_nothing(text, case.source, language)
        or _lists(text, case.source, language, items)
        or _copies(text, case.expected)
    )


def replied(case: Case, *, items: int = 3) -> str | None:
    """The rewrite is a reply: it opens as one, is code or a list, or copies the known response.

    Args:
        case: Code, lists and openings that its source also has are no sign.
        items: This many items of a list, without a task before or after them, are an answer.
    """
    text, language = case.evolved or "", language_of(case.source)
    if not text.strip():
        return None
    if language is None:
        return _agrees(text, case.source) or _copies(text, case.expected)
    return (
        _opens_as_reply(text, case.source, language)
        or _is_code(text, case.source)
        or _lists(text, case.source, language, items)
        or _copies(text, case.expected)
    )


def leaked_answer(case: Case, *, told_words: int = 7) -> str | None:
    """The rewrite still has its instruction, but also (a part of) the solution.

    Args:
        case: Whatever its source contains is no leak.
        told_words: This many words that ask for nothing, after the source's own question, explain
            its answer.
    """
    text, language = case.evolved or "", language_of(case.source)
    if not text.strip() or language is None:
        return None
    return (
        _new_match(language.solution, text, case.source)
        or _new_match(_SOLVED, text, case.source)
        or (asks_for_amount(case.source) and _new_match(language.maths, text, case.source))
        or _stated_value(text, case.source, language)
        or _added_code(text, case.source, language)
        or _sorted_list(text, case.source, language)
        or _explanation(text, case.source, language, told_words)
    )


def missing_question(case: Case) -> str | None:
    """The source asks for something unknown; the rewrite asks for nothing unknown."""
    text, language = case.evolved or "", language_of(case.source)
    if not text.strip() or language is None or not is_word_problem(case.source):
        return None
    return None if language.unknown.search(text) else f"nothing to find: {_last(text)!r}"


def _opens_as_reply(text: str, source: str, language: Language) -> str | None:
    """Return an opening of a reply; a task that follows excuses it, unless it only agrees."""
    match = language.preamble.match(text)
    if not match or language.preamble.match(source):
        return None
    # "Sure!" agrees to do the task, and "To find x," solves it: no task after that is a rewrite.
    agrees = language.confirmation.match(sentences(text)[0])
    solves = asks_for_amount(source) and _SOLVES.match(match.group(0))
    is_excused = language.task.search(text, match.end()) and not agrees and not solves
    return None if is_excused else excerpt(match.group(0))


def _agrees(text: str, source: str) -> str | None:
    """Return an opening that no instruction has, in a language of which only phrases are known."""
    speech = speech_of(source)
    match = speech.preamble.match(text) if speech else None
    # A request that follows makes it a task with a friendly beginning.
    if speech is None or match is None or speech.request.search(text, match.end()):
        return None
    return excerpt(match.group(0))


def asks_nothing(text: str, source: str, language: Language) -> str | None:
    """Return the last sentence of a text that asks for nothing, where the source asks."""
    plain_text = prose(text)
    if "?" in plain_text or "？" in plain_text:
        return None
    # A source that asks for nothing itself, a bare topic, may be rewritten as a longer topic.
    if not language.request.search(plain_text) and language.request.search(source):
        return f"asks for nothing: {_last(text)!r}"
    if not language.task.search(plain_text) and language.task.search(source):
        return f"advises, and asks for nothing: {_last(text)!r}"
    return None


def _is_code(text: str, source: str) -> str | None:
    """Return the first line of a text that is code from its first to its last line."""
    lines = text.strip().splitlines()
    # Both ends are looked at: a task may show code first and ask about it afterwards.
    opens = _CODE.match(lines[0]) and not _CODE.match(source.lstrip())
    return excerpt(lines[0]) if opens and lines[-1].endswith((";", "}", ")", "```")) else None


def _lists(text: str, source: str, language: Language, least: int) -> str | None:
    items = list(_ITEM.finditer(text))
    if len(items) < least or len(_ITEM.findall(source)) >= least:
        return None
    before, after = text[: items[0].start()], text[items[-1].end() :]
    has_task = language.task.search(before) or language.task.search(after)
    return None if has_task else f"{len(items)} items: {excerpt(items[0].group(0))}"


def _copies(text: str, expected: str) -> str | None:
    """Return a run of words of the known response, if most runs of the text are from it."""
    if not expected:
        return None
    runs = shingles(text, 4)
    shared = runs & shingles(expected, 4)
    # With three runs or fewer a short text shares most of them by chance.
    return f"the known response: {min(shared)!r}" if 2 * len(shared) > len(runs) > 3 else None


def _new_match(pattern: re.Pattern[str], text: str, source: str) -> str | None:
    match = pattern.search(text)
    return excerpt(match.group(0)) if match and not pattern.search(source) else None


def _stated_value(text: str, source: str, language: Language) -> str | None:
    """Return where the text states the value of the very thing that its source asks for."""
    question = language.thing_question.search(source)
    if not question:
        return None
    thing, lowered = question["thing"].lower(), text.lower()
    at = lowered.find(thing)
    # Every mention is tried: the question itself names the thing, too, and states nothing.
    while at >= 0:
        statement = language.stated.match(text, at + len(thing))
        if statement:
            return excerpt(text[at : statement.end() + 20])
        at = lowered.find(thing, at + 1)
    return None


def _added_code(text: str, source: str, language: Language) -> str | None:
    """Return code after a request for code, unless it is introduced as material."""
    match = _CODE.search(text)
    if not match or _CODE.search(source) or not language.wants_code.search(source):
        return None
    return None if language.introduction.search(text[: match.start()]) else excerpt(match.group(0))


def _sorted_list(text: str, source: str, language: Language) -> str | None:
    """Return a list of the source in another order, where the source asks for an order."""
    if not language.sorts.search(source):
        return None
    # Two lists of the same items have equal keys, in whatever order.
    lists = {tuple(sorted(items)): items for items in listed(text)}
    for items in listed(source):
        reordered = lists.get(tuple(sorted(items)), items)
        if reordered != items:
            return f"in order: {excerpt(', '.join(reordered))}"
    return None


def _explanation(text: str, source: str, language: Language, least: int) -> str | None:
    """Return text after the source's own question that is on its subject and asks for nothing."""
    head = sentences(source)[-1] if sentences(source) else ""
    at = text.find(head)
    # What follows a request is its conditions, and a word problem continues in statements.
    if not head.endswith(("?", "？")) or at < 0 or is_word_problem(source):
        return None
    tail = text[at + len(head) :]
    is_same = len(stems(tail) & stems(head)) > 0
    # A requirement ("The answer should compare …") belongs to the task.
    asks = language.request.search(tail)
    return excerpt(tail) if is_same and not asks and len(words(tail)) >= least else None


def _last(text: str) -> str:
    return excerpt((sentences(text) or [text])[-1])
