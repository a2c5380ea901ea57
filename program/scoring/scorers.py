"""Scores of rows by a model: a rating of one row, ratings of a whole chain, or tags.

A reply that cannot be read or a call that died leaves its row unscored, with the reason. Neither
ends the scoring, and neither counts as a score.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import dspy

from autoevol.program.blocks import run_blocks
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import ROW_ERRORS, problem_of
from autoevol.program.records import Row
from autoevol.program.roles import Role, ask

Shown = Mapping[str, str]
"""An example of a question with its answer, by the signature's fields."""

Value = float | tuple[str, ...]
"""A number, or tags."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one row.

    Attributes:
        id: Id of the row.
        round: Round of the row; 0 for a seed.
        values: Values by the score's name; empty when the row is unscored.
        problem: Why the row is unscored; "" when it is scored.
    """

    id: str
    round: int
    values: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that are scored together.

    Attributes:
        rows: The rows, at least one.
        anchor: A row shown with them, so that the parts of a long chain are comparable; it is
            scored in another part. None: there is no other part.
    """

    rows: tuple[Row, ...]
    anchor: Row | None = None


class Scorer(Protocol):
    """Scores rows in families."""

    @property
    def name(self) -> str:
        """Name of the score in configs and files."""
        ...

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return the rows in families, each row in one of them."""
        ...

    async def score(self, family: Family) -> list[Scored]:
        """Return the scores of each row of a family.

        Raises:
            AdapterParseError: A reply does not parse.
            LMError: A call failed for good.
        """
        ...


async def score_rows(
    scorer: Scorer,
    rows: Sequence[Row],
    on_scored: Callable[[Scored], None],
    *,
    in_flight: int,
) -> None:
    """Score rows.

    Args:
        scorer: Makes the families and scores each.
        rows: The rows to score.
        on_scored: Called once for each row, in order of completion.
        in_flight: Families that are scored at the same time, at least 1.

    Raises:
        LMError: A call failed in a way that affects every row, for example a refused key.
    """

    async def work(block: Sequence[Family]) -> None:
        for family in block:
            for result in await _score_or_explain(scorer, family):
                on_scored(result)

    await run_blocks(scorer.families(rows), work, size=1, in_flight=in_flight)


async def _score_or_explain(scorer: Scorer, family: Family) -> list[Scored]:
    try:
        return await scorer.score(family)
    except ROW_ERRORS as error:
        problem = problem_of(error)
        return [Scored(row.id, row.round, problem=problem) for row in family.rows]


@dataclass(frozen=True, slots=True)
class RowScorer:
    """Asks a judge one question about each row.

    Attributes:
        name: Name of the score; part of the draw number.
        role: The judge.
        signature: Has one text output.
        inputs: Returns the question's input fields; None: the row lacks what the question needs.
        read: Returns the reply's value; None: the reply is unreadable.
        shown: Examples with their answers, by the question's fields.
    """

    name: str
    role: Role
    signature: type[dspy.Signature]
    inputs: Callable[[Row], Mapping[str, str] | None]
    read: Callable[[str], Value | None]
    shown: Sequence[Shown] = ()

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return every row by itself."""
        return single_rows(rows)

    async def score(self, family: Family) -> list[Scored]:
        """Return the row's score."""
        (row,) = family.rows
        inputs = self.inputs(row)
        if inputs is None:
            return [Scored(row.id, row.round, problem="there is no response")]
        draw = draw_number(self.name, row.id)
        reply = await reply_of(self.signature, self.role, draw, inputs, self.shown)
        value = self.read(reply)
        if value is None:
            return [Scored(row.id, row.round, problem=f"unreadable: {reply[:100]!r}")]
        return [Scored(row.id, row.round, {self.name: value})]


@dataclass(frozen=True, slots=True)
class ChainScorer:
    """Asks a judge about all rungs of a seed's chain in one question (Deita, section 2.2).

    Scored one by one, the rungs of a chain get nearly the same score.

    Attributes:
        name: Name of the score; part of the draw numbers.
        role: The judge.
        signature: Takes numbered instructions.
        read: Takes the reply and the number of rungs; returns None for a rung without a score.
        most: Rungs of one question, at least 2; a longer chain is asked about in parts.
        shown: Examples with their answers, by the question's fields.
    """

    name: str
    role: Role
    signature: type[dspy.Signature]
    read: Callable[[str, int], Sequence[float | None]]
    most: int = 6
    shown: Sequence[Shown] = ()

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return the rows by seed, the seed itself first; a long chain comes in several parts."""
        by_seed: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row.round):
            by_seed.setdefault(row.seed_id, []).append(row)
        return [part for family in by_seed.values() for part in self._parts(family)]

    def _parts(self, family: list[Row]) -> list[Family]:
        first, later = family[: self.most], family[self.most :]
        # The seed is shown again with every later part, so that the parts share a yardstick.
        size = self.most - 1
        parts = [tuple(later[i : i + size]) for i in range(0, len(later), size)]
        return [Family(tuple(first)), *(Family(part, family[0]) for part in parts)]

    async def score(self, family: Family) -> list[Scored]:
        """Return the score of each rung but the anchor; a seed alone is no chain."""
        rungs = [*([family.anchor] if family.anchor else []), *family.rows]
        if len(rungs) == 1:
            return [Scored(rungs[0].id, rungs[0].round, problem="a chain of one")]
        # In an order drawn from the ids; oldest first would let the judge rate by position.
        order = sorted(rungs, key=lambda row: draw_number(self.name, "order", row.id))
        numbered = "\n\n".join(f"[{n}]\n{row.question}" for n, row in enumerate(order, start=1))
        draw = draw_number(self.name, *(row.id for row in order))
        reply = await reply_of(self.signature, self.role, draw, {"versions": numbered}, self.shown)
        scores = self.read(reply, len(order))
        pairs = zip(order, scores, strict=True)
        return [self._rung_score(row, score) for row, score in pairs if row is not family.anchor]

    def _rung_score(self, row: Row, score: float | None) -> Scored:
        if score is None:
            return Scored(row.id, row.round, problem="unreadable: no score for its number")
        return Scored(row.id, row.round, {self.name: score})


def single_rows(rows: Sequence[Row]) -> list[Family]:
    """Return every row as a family of its own."""
    return [Family((row,)) for row in rows]


async def reply_of(
    signature: type[dspy.Signature],
    role: Role,
    draw: int,
    inputs: Mapping[str, str],
    shown: Sequence[Shown] = (),
) -> str:
    """Return the reply to a question with one text output.

    Args:
        signature: Signature of the question.
        role: The role whose model replies.
        draw: Draw number of the call.
        inputs: The signature's input fields.
        shown: Examples with their answers.

    Raises:
        AdapterParseError: The reply is empty.
        LMError: The call failed for good.
    """
    fields: dict[str, Any] = {**inputs}
    demos = [dspy.Example(**example) for example in shown]
    prediction = await ask(dspy.Predict(signature), role, draw=draw, demos=demos, **fields)
    return str(prediction[next(iter(signature.output_fields))] or "")
