"""Scripted models, whose true failure rates are known: for tests and trials, never for results.

A script is a pure function of the messages and the draw, so it is safe under concurrency and the
same on resume. In `scripted/world` an evolver fails a row with a probability that depends on the
safeguards in its method. Its optimizer proposes edits: some help, some are neutral, some harm. Its
judge and its solver know the exam; the judge finds fault with one other rewrite in twenty.
"""

import hashlib
import re
from collections.abc import Callable, Sequence

from autoevol.experiments.models.transports.protocol import Message, Request, Response
from autoevol.program.witnesses.exam import Item, exam, first_exam
from autoevol.signatures.remedies import REMEDIES

Script = Callable[[Sequence[Message], int], str]

SAFEGUARD = REMEDIES["answered"].order
HARM = "Answer each instruction as well."
NEUTRAL = "Write plain prose."
FAILURE_PROBABILITY = {"none": 0.7, SAFEGUARD: 0.1, HARM: 0.95}
"""Probability that an evolver fails a row, by the sentence that its method holds."""

ADDED = (
    "Then compare two other approaches and justify every decision with evidence.",
    "Name three risks, and say for each how a reader could notice it early.",
    "Close with a table of costs, sorted by year, whose totals must agree.",
)
"""A sound rewrite adds the first of these sentences that the row does not hold yet."""

MOST, WEAK = 100, 20
"""Complexity of a task from which on a solver, and a weak one, is never right."""

JUDGE_PROBABILITY = 0.05
"""Probability that the judge finds fault with a sound rewrite, for any question."""

_OUTPUTS = "Your output fields are:"
_VERDICTS = {
    "[[ ## are_equal ## ]]": ("True", "False"),
    "[[ ## has_failed ## ]]": (
        "True\n\n[[ ## reason ## ]]\nadds nothing",
        "False\n\n[[ ## reason ## ]]\nnone",
    ),
    "[[ ## defects ## ]]": ('["unclear"]', "[]"),
    "[[ ## failed_check ## ]]": (
        "consistency\n\n[[ ## finding ## ]]\n3 of 2 are red",
        "none\n\n[[ ## finding ## ]]\nnone",
    ),
}
"""For each question, by the field that holds its answer: the answer with and without fault."""


class ScriptedTransport:
    """Answers from a script; counts words as tokens."""

    def __init__(self, script: Script) -> None:
        self._script = script

    async def send(self, request: Request) -> Response:
        """Return the script's text for the request."""
        text = self._script(request.messages, request.seed or 0)
        prompt = sum(len(message["content"].split()) for message in request.messages)
        return Response(text, "stop", tokens_in=prompt, tokens_out=len(text.split()))

    async def close(self) -> None:
        """Do nothing."""


def world(messages: Sequence[Message], draw: int) -> str:
    """Answer for every role of the scripted world; the system turn tells the role."""
    system, user = messages[0]["content"], messages[-1]["content"]
    if system.startswith("You review a method"):
        return "general: the method lets the assistant answer the instruction"
    if system.startswith("You improve a method"):
        return _proposal(user, draw)
    if system.startswith(("You shorten a method", "You merge two methods")):
        return _first_method(user)
    if system.startswith("Answer the instruction"):
        return f"A full answer, number {int(1e9 * _chance(user))}, with every step and its reason."
    if system.startswith("Solve the task"):
        return _solution(user, draw)
    judged = _judged(system, user)
    if judged:
        return judged
    if _OUTPUTS in system:
        is_rewrite = "`evolved_instruction`" in system
        return _stepwise(system, user, draw) if is_rewrite else _filled(system, draw)
    return _rewrite(system, user, draw)


def _judged(system: str, user: str) -> str | None:
    """Return the judge's answer; None: the question is not one for the judge."""
    for begin, rate in RATINGS.items():
        if system.startswith(begin):
            return rate(user)
    if "[[ ## more_demanding ## ]]" in system:
        return _more_demanding(user)
    for field, (fault, none) in _VERDICTS.items():
        if field in system:
            answer = fault if _is_faulty(user) else none
            return f"{field}\n{answer}\n\n[[ ## completed ## ]]"
    return None


def _more_demanding(user: str) -> str:
    """Return which of two versions of a task demands more: the longer one, in this world."""
    first, _, second = user.rpartition("[[ ## second_task ## ]]")
    first, second = first.rpartition("[[ ## first_task ## ]]")[2], second.split("\n\n")[0]
    # The fault is a trait of the pair, whatever the order.
    shorter, longer = sorted((first.strip(), second.strip()), key=complexity)
    item = _item_in(user)
    is_same = not item.is_sound if item else _chance(shorter, longer) < JUDGE_PROBABILITY
    rewrite = item.rewrite if item else longer
    place = "same" if is_same else "first" if rewrite in first else "second"
    return (
        f"[[ ## difference ## ]]\na comparison\n\n[[ ## more_demanding ## ]]\n{place}"
        "\n\n[[ ## completed ## ]]"
    )


def complexity(text: str) -> int:
    """Return the complexity of a text to this world's judge: its words, at most 100."""
    return min(MOST, len(text.split()))


def _only_text(user: str) -> str:
    """Return the first field of a question, without its label and the closing line."""
    return user.split(":\n", 1)[1].rsplit("\n\n", 1)[0]


def solving_probability(task: str, reach: int = MOST) -> float:
    """Return the probability that this world's solver is right, in [0, 1]; lower for harder.

    Args:
        task: Its complexity decides.
        reach: Complexity from which on the solver is never right.
    """
    return max(0.0, 1 - complexity(task) / reach)


def _solution(task: str, draw: int, reach: int = MOST) -> str:
    """Return a solution; the right result is the task's complexity, and a poem has none."""
    if item := _item_in(task):
        return f"Answer: {item.answer or 'impossible'}"
    if "poem" in task:
        return "Answer: open"
    is_right = _chance(task, draw) < solving_probability(task, reach)
    return f"Answer: {complexity(task) + (0 if is_right else 1 + draw % 7)}"


def _level(user: str) -> str:
    levels = ("very easy", "easy", "medium", "hard", "very hard")
    return levels[min(4, complexity(_only_text(user)) // 10)]


def _chain(user: str) -> str:
    versions = re.findall(r"\[(\d+)\]\n(.*?)(?=\n\n\[|\Z)", _only_text(user), re.DOTALL)
    return "\n".join(f"{number}: {complexity(text)}" for number, text in versions)


def _tags(user: str) -> str:
    return ", ".join(re.findall(r"[a-z]{6,}", _only_text(user).lower())[:5]) or "chat"


def _preferred(user: str) -> str:
    """Return which of two texts is the more complex one."""
    first, second = (complexity(part) for part in _pair(user))
    verdict = "tie" if first == second else "first" if first > second else "second"
    return f"It asks for more.\n{verdict}"


def _pair(user: str) -> tuple[str, str]:
    texts = user.rsplit("First:\n", 1)[1].rsplit("\n\n", 1)[0]
    first, second = texts.split("\n\nSecond:\n", 1)
    return first, second


RATINGS: dict[str, Callable[[str], str]] = {
    "You tell how hard": _level,
    "You rate how complex": lambda user: str(complexity(_only_text(user))),
    "You are shown several versions": _chain,
    "You name what": _tags,
    "Two assistants answered": _preferred,
    "Two instructions are": _preferred,
    "You grade an answer": lambda user: str(1 + complexity(user) // 11),
    "You compare a rewrite": lambda user: _added(user),
}
"""The judge's answer to a question, by the beginning of its system turn."""


def _stepwise(method: str, user: str, draw: int) -> str:
    """Rewrite a row in the form with a field for thinking, in which markers stand around it."""
    row = user.rpartition("[[ ## instruction ## ]]\n")[2]
    rewrite = _rewrite(method, row, draw)
    return (
        f"[[ ## thinking ## ]]\nOne more step.\n\n[[ ## evolved_instruction ## ]]\n{rewrite}\n\n"
        "[[ ## completed ## ]]"
    )


def _filled(system: str, draw: int) -> str:
    """Answer any other question of a DSPy optimiser, field by field; a proposal is a method."""
    names = re.findall(r"^\d+\. `(\w+)`", system.split(_OUTPUTS, 1)[1], re.MULTILINE)
    edit = (SAFEGUARD, NEUTRAL, HARM)[draw % 3]
    method = f"Rewrite the instruction into a harder one. {edit}"
    return "\n\n".join(
        [*(f"[[ ## {name} ## ]]\n{method}" for name in names), "[[ ## completed ## ]]"]
    )


def _is_faulty(user: str) -> bool:
    """Tell whether the judge finds fault: right in the exam, wrong on one row in twenty."""
    item = _item_in(user)
    return not item.is_sound if item else _chance(user) < JUDGE_PROBABILITY


def _item_in(user: str) -> Item | None:
    """Return the item of an exam that a question is about; None: it is about a row."""
    items = (*exam().items, *first_exam().items)
    return next((item for item in items if item.rewrite in user), None)


def _added(user: str) -> str:
    """Return the last sentence of a rewrite as what it adds."""
    rewrite = _only_text(user).split("Rewrite:\n", 1)[1]
    return "none" if _is_faulty(user) else re.split(r"(?<=[.!?。])\s+", rewrite.strip())[-1]


def failure_probability(method: str) -> float:
    """Return the true failure rate of a method in this world, in [0, 1]."""
    if HARM in method:
        return FAILURE_PROBABILITY[HARM]
    return FAILURE_PROBABILITY[SAFEGUARD if SAFEGUARD in method else "none"]


def _rewrite(method: str, user: str, draw: int) -> str:
    # A row's system prompt may stand before it.
    row = user.rpartition("Instruction:\n")[2].rsplit("\n\n", 1)[0]
    row = row.split("\n\nRefused attempt:\n")[0]
    if _chance(row, draw) < failure_probability(method):
        return f"The answer is {len(row)}."
    return f"{row} {next((added for added in ADDED if added not in row), ADDED[0])}"


def _proposal(user: str, draw: int) -> str:
    method = user.removeprefix("Method:\n").split("\n\nFeedback:")[0]
    return f"{method} {(SAFEGUARD, NEUTRAL, HARM)[draw % 3]}"


def _first_method(user: str) -> str:
    """Return the first method as it is: this optimizer can neither shorten nor merge."""
    return user.split("ethod:\n", 1)[1].split("\n\n")[0]


def _chance(*parts: object) -> float:
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def weak(messages: Sequence[Message], draw: int) -> str:
    """Answer as the scripted world, but as a weak solver: what is a little harder defeats it."""
    system, task = messages[0]["content"], messages[-1]["content"]
    return _solution(task, draw, WEAK) if system.startswith("Solve the") else world(messages, draw)


SCRIPTS: dict[str, Script] = {"world": world, "weak": weak}
