"""What a detector sees and what it says: one case in, at most one reason out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["evolve", "respond"]
"""Where in a row's way a rule looks: at the rewritten instruction, or at the answer to it."""

MethodKind = Literal["depth", "breadth", "down"]
"""Where a method leads: a harder version, another task of the domain, an easier version."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rewrite, with or without its response.

    Attributes:
        source: The instruction that was evolved (the parent's text).
        evolved: The rewritten instruction; None when the reply could not be parsed.
        response: The answer to `evolved`; None at the evolve stage.
        raw: The model's reply before parsing.
        method: Instructions of the evolving method, to find leaks of them.
        demonstrations: The evolved texts that the method shows, to find copies of them.
        method_kind: Selects the rules that apply.
        expected: The known response to `source`; empty when there is none.
        truncated: The stage's reply hit its token limit.
        tokens_out: Generated tokens of the stage's reply; 0 when unknown.
        tokens_total: Prompt and generated tokens of the stage's call; 0 when unknown.
    """

    source: str
    evolved: str | None
    response: str | None = None
    raw: str = ""
    method: str = ""
    demonstrations: str = ""
    method_kind: MethodKind = "depth"
    expected: str = ""
    truncated: bool = False
    tokens_out: int = 0
    tokens_total: int = 0

    @property
    def before(self) -> str:
        """What the stage's text was made from."""
        return self.source if self.response is None else self.evolved or ""

    @property
    def after(self) -> str:
        """The stage's text; empty when there is none."""
        return (self.evolved if self.response is None else self.response) or ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row failed: the rule's name and the span or figure that shows it."""

    rule: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.evidence}"


Detector = Callable[..., str | None]
"""Takes a `Case`, and its thresholds as keyword-only numbers; returns the evidence for a failure,
or None. It never raises."""


def excerpt(span: str, limit: int = 80) -> str:
    """Return a span of a text as evidence: on one line, at most `limit` characters."""
    line = " ".join(span.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
