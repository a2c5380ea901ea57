"""Input and output of a detector: one `Case` in, at most one piece of evidence out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["evolve", "respond", "teach"]
"""What a rule looks at: the rewritten instruction, the response to it, or what a model that is
trained on the two can learn."""

Finding = Literal["evidence", "suspicion"]
"""What a broken rule says: evidence fails a row by itself; a suspicion is a resemblance, which
a witness or a reader has to decide."""

Witness = Literal["judge", "solver", "solvers"]
"""What decides where no pattern can: a judge's answer to a question, a solver's solutions of the
task, or the solutions of a weak and a strong solver."""

MethodKind = Literal["depth", "breadth", "down"]
"""What a method makes: a harder version, another task of the same domain, an easier version."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rewrite, with or without its response.

    Attributes:
        source: The instruction that was evolved (the parent's text).
        evolved: The rewritten instruction; None when the reply could not be parsed.
        response: The response to `evolved`; None at the evolve stage.
        raw: The model's reply before parsing.
        method: Instructions of the evolving method, to detect leaks of them.
        demonstrations: Evolved texts in the method's demonstrations, to detect copies of them.
        method_kind: Selects the rules that apply.
        expected: The known response to `source`; empty if there is none.
        input: What the instruction is about and stays as it is; None: the text does not stand
            alone (a later turn of a conversation, an input that is yet to evolve), so nobody can
            try to do it.
        problem: Why the stage's reply has no text; "": unknown, or it has one.
        truncated: Whether the stage's reply hit its token limit.
        tokens_out: Generated tokens of the stage's reply; 0 if unknown.
        tokens_total: Prompt and generated tokens of the stage's call; 0 if unknown.
    """

    source: str
    evolved: str | None
    response: str | None = None
    raw: str = ""
    method: str = ""
    demonstrations: str = ""
    method_kind: MethodKind = "depth"
    expected: str = ""
    input: str | None = ""
    problem: str = ""
    truncated: bool = False
    tokens_out: int = 0
    tokens_total: int = 0

    @property
    def task(self) -> str | None:
        """The rewritten instruction with its input; None: see `input`."""
        if self.input is None or not self.evolved:
            return None
        return "\n\n".join(filter(None, (self.evolved, self.input)))

    @property
    def source_task(self) -> str:
        """The source with its input."""
        return "\n\n".join(filter(None, (self.source, self.input)))

    @property
    def before(self) -> str:
        """The text that the stage's text was made from."""
        return self.source if self.response is None else self.evolved or ""

    @property
    def after(self) -> str:
        """The stage's text; empty if there is none."""
        return (self.evolved if self.response is None else self.response) or ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row failed or is suspected: the rule's name, and the span or number that shows it."""

    rule: str
    evidence: str
    finding: Finding = "evidence"

    def __str__(self) -> str:
        return f"{self.rule}: {self.evidence}"


def fails(reasons: Iterable[Reason]) -> bool:
    """Tell whether a row fails: one of its reasons is evidence."""
    return any(reason.finding == "evidence" for reason in reasons)


Detector = Callable[..., str | None]
"""Takes a `Case` and its thresholds as keyword-only numbers, and never raises.

Returns the evidence of a failure, or None.
"""


def excerpt(span: str, limit: int = 80) -> str:
    """Return a span of a text as evidence: on one line, at most `limit` characters."""
    line = " ".join(span.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
