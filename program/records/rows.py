"""A row, what became of it in a round, and the counts of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from autoevol.metrics import Reason, Stage, fails

Split = Literal["train", "dev", "held-out", "data"]
Status = Literal["kept", "failed", "unscored"]


_OPTIONAL = ("suspected_by", "unknown", "system", "meta")
"""Keys that a row has only where they say something."""


@dataclass(frozen=True, slots=True)
class Row:
    """An instruction with its lineage: a seed (round 0), or a row evolved from one.

    Attributes:
        id: Unique in the run; an evolved row's is made from its parent's (`program.row_ids`).
        seed_id: Id of the seed that its lineage starts with.
        parent_id: Id of the row that it was evolved from; None for a seed.
        round: Round that produced it, from 1; 0 for a seed.
        method: Name of the method that produced it; None for a seed.
        trace: Names of the methods applied since the seed, oldest first.
        input: Material that the instruction refers to; "" without.
        thinking: What the evolver wrote before the result: its own thinking, and that of the
            stepwise form.
        turns: The user turns of a conversation, the first of them also `instruction`; empty for a
            single instruction.
        answers: The replies to `turns`, one each; the first of them is also `response`.
        origin: The seed's text.
        root: Where the seed came from.
        model_evolve: Name of the evolver's model.
        model_respond: Name of the responder's model; "" before the row is answered.
        draw: Draw number of the evolving call.
        scores: Scores of the row, by name.
        usage: Calls and tokens that the row cost, failed attempts included.
        filtered_by: Name of the filter that marked the row; None when no filter did.
        suspected_by: The suspicions under which the row was kept.
        unknown: Why nobody could tell whether the row teaches; "": somebody could, or nobody was
            asked.
        system: The system prompt that the instruction is read under; never evolved. "" without.
        meta: Further columns that the seed came with, by name; plain JSON data.
    """

    # `as_dict` writes every field, in this order, to the run's files: a name here is a key there.
    id: str
    seed_id: str
    instruction: str
    parent_id: str | None = None
    round: int = 0
    method: str | None = None
    trace: tuple[str, ...] = ()
    input: str = ""
    thinking: str = ""
    turns: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    response: str = ""
    origin: str = ""
    root: str = ""
    model_evolve: str = ""
    model_respond: str = ""
    draw: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    filtered_by: str | None = None
    suspected_by: tuple[Reason, ...] = ()
    unknown: str = ""
    system: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that the user says: the instruction, or the turns, a paragraph each."""
        return "\n\n".join(self.turns) or self.instruction

    @property
    def prompt(self) -> str:
        """What the responder reads: the instruction and, where there is one, the input."""
        return f"{self.instruction}\n\n{self.input}" if self.input else self.instruction

    @property
    def question(self) -> str:
        """The whole task: the user turns, or the instruction with its input."""
        return self.text if self.turns else self.prompt

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON data, keys in the contract's order.

        The last keys, from `suspected_by` on, are there only where they say something.
        """
        values = {name: getattr(self, name) for name in self.__slots__}
        values["suspected_by"] = _plain(self.suspected_by)
        optional = {name: values.pop(name) for name in _OPTIONAL}
        return values | {name: value for name, value in optional.items() if value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row in one round (or of one dev row under one method).

    Attributes:
        source: The row that was evolved.
        row: The evolved row; its instruction is empty when the reply could not be parsed.
        status: "unscored": its calls died in transport, so F has no verdict.
        failed_at: The stage whose rules failed the row; None unless it failed.
        reasons: The broken rules with evidence; for an unscored row, the transport error.
        raw: The evolver's reply before parsing.
        attempts: How many times the row was tried, at least 1.
        place: The row's place in canonical order: number of its seed, round, then round and child
            of every rewrite from the seed to this one. Empty outside the bulk phase.
    """

    source: Row
    row: Row
    status: Status
    failed_at: Stage | None = None
    reasons: tuple[Reason, ...] = ()
    raw: str = ""
    attempts: int = 1
    place: tuple[int, ...] = ()

    @property
    def is_suspected(self) -> bool:
        """Whether the row was dropped under suspicion, and no evidence is against it."""
        return self.status == "failed" and not fails(self.reasons)

    @property
    def verdict(self) -> bool | None:
        """F of the row: True failed or dropped, False kept, None unscored or unknown."""
        is_open = self.status == "unscored" or (self.status == "kept" and self.row.unknown)
        return None if is_open else self.status == "failed"

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON data, with the reasons where it was not kept.

        Only a row that was dropped under suspicion has the key `status`.
        """
        if self.status == "kept":
            return self.row.as_dict()
        status = {"status": "suspected"} if self.is_suspected else {}
        return {
            **self.row.as_dict(),
            **status,
            "failed_at": self.failed_at,
            "reasons": _plain(self.reasons),
            "raw": self.raw,
        }


def _plain(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    return [{"rule": reason.rule, "evidence": reason.evidence} for reason in reasons]


@dataclass(frozen=True, slots=True)
class RoundCount:
    """Where the rewrites of a round went: entered = kept + failed + unscored.

    Attributes:
        round: Number of the round; 0 for rows that are answered as they are.
        finished: Kept rewrites that have reached their length, and so leave the pool.
        suspected: Kept rewrites under suspicion.
        failed_suspected: Failed rewrites that were dropped under suspicion alone.
        unknown: Kept rewrites of which nobody could tell whether they teach.
    """

    # `summary.json` holds these fields under these names.
    round: int
    entered: int
    kept: int
    failed: int
    unscored: int
    finished: int = 0
    suspected: int = 0
    failed_suspected: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class MethodTally:
    """How many attempts with a method were kept and failed in the finished rounds."""

    # `bandit.json` holds these fields under these names.
    kept: int = 0
    failed: int = 0
