"""The questions of the nine stages that make verified data, and that for tests of code.

What all rows share stands first. The stages are AutoIF's (arXiv 2406.13542, section 3), the words
our own. Each question has one text output, which `metrics.verification` reads, so that a small
model is asked without scaffolding.
"""

import dspy


class ProposeConstraints(dspy.Signature):
    """You invent constraints on the form of a text: constraints that a short Python function can check by looking at the text alone. Think of length, counts, order, letter case, marks, words to use or to avoid, lists, headings, JSON, the language. A constraint about tone, style, truth or meaning is of no use, since no function can decide it. Each has to be different from the others and from the examples, clear about every number, and possible together with almost any task."""

    examples: str = dspy.InputField(desc="constraints that exist already, one a line")
    constraints: str = dspy.OutputField(
        desc='Write ten new constraints, one a line. Begin each line with "- " and write nothing else.'
    )


class WriteVerifier(dspy.Signature):
    r"""You write a Python function that checks whether a response keeps a constraint, and examples to try it on. The function is called evaluate, takes the response as one text, and returns True if the constraint is kept, else False. It looks at the text alone and decides every text, an empty one too. It may import re, json, math, string, collections and unicodedata, and nothing else.
    Begin with three example responses, each a line: "keeps:" or "breaks:", then the response in double quotation marks, with \n where it has a new line. At least one keeps the constraint and at least one breaks it. Then write the function in one block of code; it has to return True for what keeps the constraint and False for what breaks it.
    """

    constraint: str = dspy.InputField(desc="the constraint to check")
    verifier: str = dspy.OutputField(
        desc="Do not follow the constraint. Write three examples for it, then the function evaluate that checks it."
    )


WRITTEN = (
    {
        "constraint": 'Use the word "tea" at least twice.',
        "verifier": 'keeps: "Tea in the morning, tea at night."\nbreaks: "I drink tea."\nbreaks: "Steam and teapots."\n```python\nimport re\n\ndef evaluate(response):\n    return len(re.findall(r"\\btea\\b", response.lower())) >= 2\n```',
    },
    {
        "constraint": "Give exactly two lines, each ending with a full stop.",
        "verifier": 'keeps: "It rains.\\nWe stay."\nbreaks: "It rains. We stay."\nbreaks: "It rains.\\nWe stay"\n```python\ndef evaluate(response):\n    lines = [line.strip() for line in response.splitlines() if line.strip()]\n    return len(lines) == 2 and all(line.endswith(".") for line in lines)\n```',
    },
)
"""Shown before the question, without which a small model writes neither of the two parts whole."""


class DescribeVerifier(dspy.Signature):
    """You read a Python function that checks a text, and say in one sentence what a text has to be like to pass. Say it to the writer of the text, as an order with all its numbers and words. Do not speak of the function."""

    code: str = dspy.InputField(desc="the function")
    constraint: str = dspy.OutputField(desc="Reply with the order alone, one sentence.")


class CompareConstraints(dspy.Signature):
    """You compare two orders on the form of one text. same: they ask for the same in other words. different: they are about different things, so that one text can keep both. contradiction: no text can keep both, since they set different numbers, words, marks or languages for the same thing, or one forbids what the other asks for."""

    first: str = dspy.InputField(desc="an order; do not follow it")
    second: str = dspy.InputField(desc="another order; do not follow it")
    relation: str = dspy.OutputField(desc="Reply with one word: same, different or contradiction.")


COMPARED = tuple(
    {"first": first, "second": second, "relation": relation}
    for first, second, relation in (
        ("Use at most 40 words.", "The text must not be longer than 40 words.", "same"),
        ("Use at most 40 words.", "Write between 60 and 90 words.", "contradiction"),
        ("Begin with a question.", "Use no commas.", "different"),
        (
            "Write all letters small.",
            "Every word must begin with a capital letter.",
            "contradiction",
        ),
        ("Write in French.", "Write every sentence in English.", "contradiction"),
        ("Write exactly three bullet points.", "Use the word moon.", "different"),
        ("Use the word moon twice.", "Never use the word moon.", "contradiction"),
        ("Close with a full stop.", "End the text with a stop mark.", "same"),
    )
)
"""Examples of each relation."""


class WriteTests(dspy.Signature):
    """You write tests for a programming task that others will solve. You are shown the task and the names and arguments with which a solution is called. Work out from the task alone what a right solution returns. Cover the usual case first, then the edges that the task speaks of: nothing, one, many, the smallest, the largest. Leave out what the task does not decide.
    A test is one line of Python that begins with assert, calls the solution with written values, and compares the result with a written value. Where a solution has to be called several times, a test is a function without arguments whose name begins with test_. No imports, no print, no classes.
    """

    task: str = dspy.InputField(desc="the task; others solve it")
    interface: str = dspy.InputField(desc="how a solution is called")
    tests: str = dspy.OutputField(
        desc="Do not solve the task. Write five to eight tests for it in one block of Python, and nothing else."
    )


TESTED = (
    {
        "task": "Write a function that tells how many days a month has in a year that is no leap year.",
        "interface": "def days_in(month: int)",
        "tests": "```python\nassert days_in(1) == 31\nassert days_in(2) == 28\nassert days_in(4) == 30\nassert days_in(7) == 31\nassert days_in(12) == 31\n```",
    },
    {
        "task": "Write a class that counts votes. The method vote takes a name, the method winner returns the name with most votes, or None before the first vote.",
        "interface": "class Votes:\n    def __init__(self)\n    def vote(self, name)\n    def winner(self)",
        "tests": '```python\nassert Votes().winner() is None\n\ndef test_one_vote():\n    votes = Votes()\n    votes.vote("Ada")\n    assert votes.winner() == "Ada"\n\ndef test_most_votes():\n    votes = Votes()\n    for name in ["Ada", "Ben", "Ben"]:\n        votes.vote(name)\n    assert votes.winner() == "Ben"\n```',
    },
)
"""Shown before the question, without which a small model solves the task first."""
