"""What is wrong with a row, in plain words, and the order to the evolver that prevents it.

A key is the name of a rule of the failure metric. A fault completes the sentence "The rewrite …".
An order is one sentence, holds for every instruction, and serves both as a safeguard of a method
and as advice for another attempt at one row.
"""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import dspy

REFUSED = "refused_attempt"
"""The field in which the evolver reads why its last attempt at the row failed. The plain adapter
makes a label of the name."""


class Remedy(NamedTuple):
    """A fault, and the order that prevents it."""

    fault: str
    order: str


_NOTHING_NEW = (
    "The result must demand at least one thing that the original does not; "
    "saying the same in other words is not enough."
)
_A_REQUEST = "Never answer or solve the instruction: what you write must still be a request."
_WHOLE = "Reply with one complete, clear request and nothing else."
_ONE_MORE_STEP = (
    "Add one step whose result is needed to reach the final answer, so that nobody can skip it."
)
_SOLVABLE = (
    "Everything that is needed to reach the one right answer must be stated, and nothing in it may "
    "contradict anything else."
)

REMEDIES: dict[str, Remedy] = {
    "unparsed": Remedy("cannot be read", _WHOLE),
    "empty": Remedy("is empty", _WHOLE),
    "same_text": Remedy("repeats the original word for word", _NOTHING_NEW),
    "unchanged": Remedy("hardly differs from the original", _NOTHING_NEW),
    "restated": Remedy("asks for the same in other words", _NOTHING_NEW),
    "reworded": Remedy("asks for the same in other words", _NOTHING_NEW),
    "equal": Remedy("asks for the same as the original", _NOTHING_NEW),
    "nothing_added": Remedy("asks for nothing more than the original", _NOTHING_NEW),
    "same_answer": Remedy("has the same answer as the original", _NOTHING_NEW),
    "same_sum": Remedy(
        "is solved by the same calculation",
        "In a word problem, add a new amount, a new condition or a further question that changes "
        "the calculation.",
    ),
    "copied_demonstration": Remedy(
        "copies a condition from an example",
        "Never take a condition from an example; invent one that fits this instruction.",
    ),
    "shrunk": Remedy(
        "lost much of the original",
        "Everything that the original demands stays, and something is added to it.",
    ),
    "bloated": Remedy("is far longer than the original", "Add no more than twenty words."),
    "over_length": Remedy("is longer than allowed", "Add no more than twenty words."),
    "answered": Remedy("answers the instruction", _A_REQUEST),
    "replied": Remedy("is a reply to the instruction", _A_REQUEST),
    "no_request": Remedy("asks for nothing", _A_REQUEST),
    "leaked_answer": Remedy(
        "gives the answer away",
        "Never put the answer, a hint or a step of the solution into the request.",
    ),
    "missing_question": Remedy(
        "leaves nothing to be found", "Something unknown must remain to be found."
    ),
    "prompt_leak": Remedy(
        "speaks of the orders for rewriting",
        "Never mention these orders, the original instruction or that it was rewritten.",
    ),
    "field_residue": Remedy(
        "holds markers or labels", "Write plain text without markers, labels or headings."
    ),
    "changed_task": Remedy(
        "asks for something else",
        "The task stays the same: the same subject and the same kind of result.",
    ),
    "lost_details": Remedy(
        "lost a number, a name or a quotation",
        "Copy every number, name, quotation and piece of code of the original.",
    ),
    "lost_material": Remedy(
        "lost the material that the original hands over",
        "Copy any text, list or code that the original hands over, whole.",
    ),
    "truncated": Remedy("is cut off", "Keep the result short enough to be finished."),
    "malformed_code": Remedy("leaves a block of code open", "Close every block of code."),
    "repeated": Remedy("repeats itself", "Say each thing once."),
    "language_drift": Remedy("is in another language", "Write in the language of the original."),
    "refusal": Remedy("was declined", "Rewrite every instruction; never decline or apologise."),
    "asks_for_input": Remedy(
        "asks for material that nobody hands over",
        "Whoever answers the result must have all they need in it.",
    ),
    "confirmed_only": Remedy("was only confirmed, not done", _WHOLE),
    "echo": Remedy("was repeated in the place of an answer", _WHOLE),
    "continued": Remedy("was continued in the place of an answer", _WHOLE),
    "impossible": Remedy("cannot be done as it stands", _SOLVABLE),
    "unsolvable": Remedy("has no solution that solvers agree on", _SOLVABLE),
    "too_easy": Remedy("is too easy", _ONE_MORE_STEP),
    "too_hard": Remedy("is too hard, or has no solution", _SOLVABLE),
    "no_gap": Remedy("is no easier for a strong solver than for a weak one", _ONE_MORE_STEP),
    "demands_no_more": Remedy("demands no more work than the original", _ONE_MORE_STEP),
}


def fault_of(rule: str, evidence: str) -> str:
    """Return what is wrong with a row in plain words, with what shows it.

    Args:
        rule: Name of the broken rule; one without a remedy is named as it is.
        evidence: What shows the fault.
    """
    remedy = REMEDIES.get(rule)
    fault = f"the rewrite {remedy.fault}" if remedy else rule.replace("_", " ")
    return f"{fault} ({evidence})"


def refusal_of(rule: str, evidence: str) -> str:
    """Return what an evolver is told about its last attempt at a row.

    Args:
        rule: Name of the broken rule; one without a remedy is named as it is.
        evidence: What shows the fault.
    """
    remedy = REMEDIES.get(rule)
    if remedy is None:
        return f"An earlier attempt was refused: {rule.replace('_', ' ')} ({evidence})."
    return f"An earlier attempt was refused, since it {remedy.fault} ({evidence}). {remedy.order}"


def with_refusal(signature: type[dspy.Signature]) -> type[dspy.Signature]:
    """Return an evolving signature with a field, behind the row's, for why an attempt failed."""
    if signature not in _variants:
        _variants[signature] = _with_field(signature)
    return _variants[signature]


# A signature is a class, slow to make; weak keys let those of past candidates go.
_variants: WeakKeyDictionary[type[dspy.Signature], type[dspy.Signature]] = WeakKeyDictionary()


def _with_field(signature: type[dspy.Signature]) -> type[dspy.Signature]:
    desc = "why the last attempt at this instruction was refused"
    variant: type[dspy.Signature] = signature.append(REFUSED, dspy.InputField(desc=desc), str)
    return variant
