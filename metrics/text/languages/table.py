"""The fields of a language table, and how its patterns are written."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Surface signs of what a text does, in one language.

    All patterns ignore case; `^` and `$` match at line ends.

    Attributes:
        code: ISO 639-1.
        script: Of `metrics.text.scripts`.
        request: A text with a match asks its reader for something.
        task: Verbs and question words that say *what* to do; a sentence with a match is a task
            rather than advice.
        unknown: Words for the unknown of a problem ("how many").
        amount: The instruction asks for an amount, so two numbers make it a word problem.
        thing_question: A question for one thing, in the group `thing`.
        stated: Text after a thing that states its value.
        numerals: Number words and their values.
        questions: Beginnings of question words.
        filler: Beginnings of words that name a step or a result and add no demand by themselves.
        quantity: Words that change an amount in a word problem without a digit.
        edits: The task is to edit a given text, so its answer contains most of that text.
        verse: The task is to write verse, which may repeat its lines.
        message: The task is to write to somebody, so the text may ask for things.
        preamble: An opening of a reply or a solution rather than of an instruction.
        solution: Words that only occur before a result ("the answer is").
        leak: Talk about rewriting, prompts and instructions.
        introduction: Words that introduce given material, so that code after them is not a solution.
        wants_code: The instruction asks for code.
        wants_language: The instruction is about another language, so its answer may be in it.
        sorts: The instruction asks for an order.
        maths: Steps of a calculation; in a word problem they reveal its solution.
        refusal: The opening of a reply that declines.
        dont_know: A reply that only says that it does not know.
        asks_for_input: A reply that asks for material.
        confirmation: A reply, or its first sentence, that only confirms.
        open_end: The end of a text that stops in the middle of a sentence.
        promise: A whole reply that announces its work and does not do it.
        long_form: The task asks for a text of some length or detail.
        brief: The task asks for a short text.
        target: A length that the task asks for, in the group `words` or `letters`; `most` matches
            if it is an upper limit.
        imperative: A sentence with the shape of an order, whatever its verb.
        creative: The task asks for something new; a material does not close it.
        closed: The task has one right answer, or a given text to work on.
        demand: Words that bring in a further demand ("including", "at least").
        operation: An operation that makes an instruction harder, in the groups `verb` and `object`.
    """

    code: str
    script: str
    request: re.Pattern[str]
    task: re.Pattern[str]
    unknown: re.Pattern[str]
    amount: re.Pattern[str]
    thing_question: re.Pattern[str]
    stated: re.Pattern[str]
    numerals: dict[str, int]
    questions: frozenset[str]
    filler: frozenset[str]
    quantity: re.Pattern[str]
    edits: re.Pattern[str]
    verse: re.Pattern[str]
    message: re.Pattern[str]
    preamble: re.Pattern[str]
    solution: re.Pattern[str]
    leak: re.Pattern[str]
    introduction: re.Pattern[str]
    wants_code: re.Pattern[str]
    wants_language: re.Pattern[str]
    sorts: re.Pattern[str]
    maths: re.Pattern[str]
    refusal: re.Pattern[str]
    dont_know: re.Pattern[str]
    asks_for_input: re.Pattern[str]
    confirmation: re.Pattern[str]
    open_end: re.Pattern[str]
    promise: re.Pattern[str]
    long_form: re.Pattern[str]
    brief: re.Pattern[str]
    target: re.Pattern[str]
    imperative: re.Pattern[str]
    creative: re.Pattern[str]
    closed: re.Pattern[str]
    demand: re.Pattern[str]
    operation: re.Pattern[str]


Pattern = re.Pattern[str]


def pattern(text: str) -> Pattern:
    """Compile a pattern of a table; white space in it is layout, and `[ ]` is a space."""
    return re.compile(text, re.IGNORECASE | re.MULTILINE | re.VERBOSE)


def any_of(words: str) -> str:
    """Return a group that matches any word of a list, longer words first."""
    return f"(?:{'|'.join(sorted(words.split(), key=len, reverse=True))})"
