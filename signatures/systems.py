"""What a row's own system prompt adds to the prompts of the evolver and of the responder.

The evolver sees it, so that the harder instruction still fits the assistant; it is never evolved.
The responder is under it, since what is trained on is its answer under that prompt.
"""

from weakref import WeakKeyDictionary

import dspy

SYSTEM_PROMPT = "system_prompt_to_leave_out"
"""The plain adapter makes a label of it. It says what to do with the text there and not in the
closing line, which the demonstrations share with rows that have no system prompt."""

# A signature is a class, slow to make; weak keys let those of past candidates go.
_variants: WeakKeyDictionary[type[dspy.Signature], type[dspy.Signature]] = WeakKeyDictionary()


def with_system_prompt(signature: type[dspy.Signature]) -> type[dspy.Signature]:
    """Return an evolving signature with a field for the system prompt, before the instruction."""
    if signature not in _variants:
        _variants[signature] = _with_field(signature)
    return _variants[signature]


def _with_field(signature: type[dspy.Signature]) -> type[dspy.Signature]:
    desc = "what the assistant that gets the instruction is told first; no part of your reply"
    variant: type[dspy.Signature] = signature.prepend(
        SYSTEM_PROMPT, dspy.InputField(desc=desc), str
    )
    return variant


def under_system(instructions: str, system: str) -> str:
    """Return a responder's instructions for a row with a system prompt."""
    return (
        f"{instructions}\n\nThe instruction is read under the following system prompt. Where it says "
        f"otherwise than the above, it decides.\n\n{system}"
    )
