"""A scripted model for the nine stages, named for what it is: its verifiers, cases, answers and
verdicts are fixed by the words of the constraint, so that the true funnel is known.
"""

import re
from collections.abc import Sequence
from typing import Any

from autoevol.experiments.models.transports.protocol import Message
from autoevol.program.verification.descriptions import contradiction_exam

PROPOSED = """Here are ten ideas:
- Use the word apple at least twice.
- Use the word pear at least twice.
- Use the word apple at least twice.
- Short
- Use the word plum at least twice."""
"""`apple` is sound, `pear` has bad verifiers, and those of `plum` check something else."""


SMALL: dict[str, Any] = {
    "constraints": "constraints.txt",
    "samples": 4,
    "least_cases": 2,
    "least_functions": 1,
}
"""Keys of `verify` under which the scripted model's constraints pass."""


def _word(text: str) -> str:
    match = re.search(r"the word (\w+) at least", text)
    return match[1] if match else "nothing"


def _verifier(user: str, draw: int) -> str:
    word = _word(user)
    least = 2
    code = f"def evaluate(response):\n    return response.lower().count('{word}') >= {least}"
    if word == "pear":
        code = [
            "import os\n" + code,
            "def evaluate(response):\n    return 'yes'",
            "def evaluate(response) return",
            "def evaluate(response):\n    return len('x' * 10**10) > 1",
        ][draw % 4]
    return (
        f"```python\n{code}  # {draw % 3}\n```\n"
        f'keeps: "{word} and {word}, {draw}"\nbreaks: "one {word}, {draw}"\nbreaks: "none {draw}"'
    )


def _relation(user: str) -> str:
    """Find the contradictions of the exam, and `plum` that is asked for once and twice."""
    if "once" in user and "twice" in user and "plum" in user:
        return "contradiction"
    pairs = {
        frozenset((item.original, item.rewrite))
        for item in contradiction_exam().items
        if not item.is_sound
    }
    return "contradiction" if any(all(t in user for t in pair) for pair in pairs) else "same"


def verifier(messages: Sequence[Message], draw: int) -> str:
    """Answer for every role of the stages; the system turn tells the stage."""
    system, user = messages[0]["content"], messages[-1]["content"]
    if system.startswith("You invent constraints"):
        return PROPOSED
    if system.startswith("You write a Python function"):
        return _verifier(user, draw)
    if system.startswith("You read a Python function"):
        match = re.search(r"count\('(\w+)'\)", user)
        counted = match[1] if match else "it"
        return f"Write {counted} at least {'once' if counted == 'plum' else 'twice'}."
    if system.startswith("You compare two orders"):
        return _relation(user)
    if system.startswith("You grade an answer"):
        return "9" if "Well" in user else "7"
    word = _word(user)
    return [f"{word}, {word}. Well {draw % 7}.", f"{word} {word}.", f"One {word}.", ""][draw % 4]
