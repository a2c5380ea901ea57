"""What models say of rows: a rating, a rating of a whole chain, or tags.

A reply that cannot be read and a call that died leave a row unscored, with the reason; neither ends
the scoring, and neither counts as a figure.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import dspy
from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.program.blocks import run_blocks
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.records import Row
from autoevol.program.roles import Role, ask

Shown = Mapping[str, str]
"""An example of a question with its answer, by the signature's fields."""

Value = float | tuple[str, ...]
"""A figure, or tags."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scorer found out about a row.

    Attributes:
        id: The row's.
        round: The row's; 0 for a seed.
        values: By name; empty when nothing could be told.
        problem: Why nothing could be told; "" when it could.
    """

    id: str
    round: int
    values: Mapping[str, Value] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that are scored together.

    Attributes:
        anchor: Shown with them, so that parts of one chain compare; it has its score elsewhere.
    """

    rows: tuple[Row, ...]
    anchor: Row | None = None


class Scorer(Protocol):
    """Finds out figures about rows that belong together."""

    @property
    def name(self) -> str:
        """What the scorer is called in configs and files."""
        ...

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return the rows in the groups that are scored together, each row in one of them."""
        ...

    async def scored(self, family: Family) -> list[Scored]:
        """Return what there is to say of each row of a group.

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
    """Score rows, `in_flight` groups at a time; each row is heard of once.

    Raises:
        LMError: A call failed in a way that will befall every row, a refused key for example.
    """

    async def work(block: Sequence[Family]) -> None:
        for family in block:
            for each in await _guarded(scorer.scored(family), family):
                on_scored(each)

    await run_blocks(scorer.families(rows), work, size=1, in_flight=in_flight)


async def _guarded(work: Awaitable[list[Scored]], family: Family) -> list[Scored]:
    try:
        return await work
    except (*UNSCORED_ERRORS, LMInvalidRequestError) as error:
        problem = f"{type(error).__name__}: {str(error)[:200]}"
        return [Scored(row.id, row.round, problem=problem) for row in family.rows]


@dataclass(frozen=True, slots=True)
class RowScorer:
    """Asks a judge one question about each row.

    Attributes:
        signature: Has one text output.
        inputs: Of the question; None: the row has nothing to be asked about.
        read: Takes the reply; None: it says nothing that counts.
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
        return [Family((row,)) for row in rows]

    async def scored(self, family: Family) -> list[Scored]:
        """Return the row's figure."""
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

    Scored one by one, the rungs of a chain get nearly the same figure. They are shown in an order
    that the seed's id decides, so that the last one does not stand last.

    Attributes:
        signature: Takes numbered instructions.
        read: Takes the reply and how many were shown; None for a number without a score.
        most: Rungs that are shown at once, at least 2; of a larger family each part is shown with
            the oldest row.
        shown: Examples with their answers, by the question's fields.
    """

    name: str
    role: Role
    signature: type[dspy.Signature]
    read: Callable[[str, int], Sequence[float | None]]
    most: int = 6
    shown: Sequence[Shown] = ()

    def families(self, rows: Sequence[Row]) -> list[Family]:
        """Return the rows by seed, the seed itself in front; a seed alone is no chain."""
        by_seed: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row.round):
            by_seed.setdefault(row.seed_id, []).append(row)
        return [part for family in by_seed.values() for part in self._parts(family)]

    def _parts(self, family: list[Row]) -> list[Family]:
        first, later = family[: self.most], family[self.most :]
        size = self.most - 1
        parts = [tuple(later[i : i + size]) for i in range(0, len(later), size)]
        return [Family(tuple(first)), *(Family(part, family[0]) for part in parts)]

    async def scored(self, family: Family) -> list[Scored]:
        """Return the score of each rung but the anchor."""
        rungs = [*([family.anchor] if family.anchor else []), *family.rows]
        if len(rungs) == 1:
            return [Scored(rungs[0].id, rungs[0].round, problem="a chain of one")]
        shown = sorted(rungs, key=lambda row: draw_number(self.name, "order", row.id))
        told = "\n\n".join(f"[{n}]\n{row.question}" for n, row in enumerate(shown, start=1))
        draw = draw_number(self.name, *(row.id for row in shown))
        reply = await reply_of(self.signature, self.role, draw, {"versions": told}, self.shown)
        scores = self.read(reply, len(shown))
        pairs = zip(shown, scores, strict=True)
        return [self._of(row, score) for row, score in pairs if row is not family.anchor]

    def _of(self, row: Row, score: float | None) -> Scored:
        if score is None:
            return Scored(row.id, row.round, problem="unreadable: no score for its number")
        return Scored(row.id, row.round, {self.name: score})


async def reply_of(
    signature: type[dspy.Signature],
    role: Role,
    draw: int,
    inputs: Mapping[str, str],
    shown: Sequence[Shown] = (),
) -> str:
    """Return the reply to a question with one text output.

    Raises:
        AdapterParseError: It is empty.
        LMError: The call failed for good.
    """
    asked: dict[str, Any] = {**inputs}
    demos = [dspy.Example(**example) for example in shown]
    found = await ask(dspy.Predict(signature), role, draw=draw, demos=demos, **asked)
    return str(found[next(iter(signature.output_fields))] or "")
