"""What a detector sees and what it says: one case in, at most one reason out."""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["evolve", "respond"]
"""Where in a row's way a rule looks: at the rewritten instruction, or at the answer to it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rewrite, with or without its response.

    Attributes:
        source: The instruction that was evolved (the parent's text).
        evolved: The rewritten instruction; None when the reply could not be parsed.
        response: The answer to `evolved`; None at the evolve stage.
        raw: The model's reply before parsing.
        method: Instructions and demonstrations of the evolving method, to find leaks of it.
        truncated: The stage's reply hit its token limit.
        tokens_out: Generated tokens of the stage's reply; 0 when unknown.
        tokens_total: Prompt and generated tokens of the stage's call; 0 when unknown.
    """

    source: str
    evolved: str | None
    response: str | None = None
    raw: str = ""
    method: str = ""
    truncated: bool = False
    tokens_out: int = 0
    tokens_total: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row failed: the rule's name and the span or figure that shows it."""

    rule: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.evidence}"
