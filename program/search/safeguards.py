"""Safeguards: a sentence against each kind of failure, for methods that keep failing that way.

A key is the name of a rule of the failure metric. A sentence is an order to the evolver and holds
for every instruction.
"""

_NOTHING_NEW = (
    "The result must demand at least one thing that the original does not; "
    "saying the same in other words is not enough."
)
_A_REQUEST = "Never answer or solve the instruction: what you write must still be a request."
_WHOLE = "Reply with one complete, clear request and nothing else."

SAFEGUARDS: dict[str, str] = {
    "unparsed": _WHOLE,
    "empty": _WHOLE,
    "same_text": _NOTHING_NEW,
    "unchanged": _NOTHING_NEW,
    "restated": _NOTHING_NEW,
    "reworded": _NOTHING_NEW,
    "equal": _NOTHING_NEW,
    "same_sum": "In a word problem, add a new amount, a new condition or a further question that "
    "changes the calculation.",
    "copied_demonstration": "Never take a condition from an example; invent one that fits this "
    "instruction.",
    "shrunk": "Everything that the original demands stays, and something is added to it.",
    "bloated": "Add no more than twenty words.",
    "answered": _A_REQUEST,
    "replied": _A_REQUEST,
    "no_request": _A_REQUEST,
    "leaked_answer": "Never put the answer, a hint or a step of the solution into the request.",
    "missing_question": "Something unknown must remain to be found.",
    "prompt_leak": "Never mention these orders, the original instruction or that it was rewritten.",
    "field_residue": "Write plain text without markers, labels or headings.",
    "changed_task": "The task stays the same: the same subject and the same kind of result.",
    "lost_details": "Copy every number, name, quotation and piece of code of the original.",
    "lost_material": "Copy any text, list or code that the original hands over, whole.",
    "truncated": "Keep the result short enough to be finished.",
    "malformed_code": "Close every block of code.",
    "repeated": "Say each thing once.",
    "language_drift": "Write in the language of the original.",
    "refusal": "Rewrite every instruction; never decline or apologise.",
    "asks_for_input": "Whoever answers the result must have all they need in it.",
    "confirmed_only": _WHOLE,
    "echo": _WHOLE,
    "continued": _WHOLE,
}
