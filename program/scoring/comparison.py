"""Pairwise comparison by a judge: two texts of one row, in both orders or in a drawn one."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from autoevol.metrics.quality.preference import PairOutcome, Verdict, outcome, single_outcome
from autoevol.program.blocks import run_blocks
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import ROW_ERRORS, problem_of
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import reply_of
from autoevol.signatures import CompareAnswers, CompareInstructions
from autoevol.signatures.scoring import COMPARED_ANSWERS, COMPARED_INSTRUCTIONS

AskOrder = Literal["both", "drawn"]
_VERDICTS: Mapping[str, Verdict] = {"first": "first", "second": "second", "tie": "tie"}
# At the start of a line, or after a full stop, a colon or "is": "first or second" is no verdict.
_LAST_WORD = re.compile(r"(?:^|[\n.:]|\bis)\W*(first|second|tie)\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong to the same row.

    Attributes:
        id: Id of the row on our side.
        ours: The text of the set under test.
        theirs: The text of the other set.
        instruction: The instruction that both texts answer; "": the texts are instructions.
    """

    # The file of a comparison's verdicts holds these fields under these names.
    id: str
    ours: str
    theirs: str
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """The judge's result for a pair.

    Attributes:
        pair: The two texts.
        ours_first: Verdict with our text shown first; None: not asked, or unreadable.
        ours_second: Verdict with our text shown second; None: not asked, or unreadable.
        outcome: Outcome for our text; None: unscored.
        problem: Why the pair is unscored; "" when it is scored.
    """

    pair: Pair
    ours_first: Verdict | None
    ours_second: Verdict | None
    outcome: PairOutcome | None
    problem: str = ""


async def compare_pairs(
    pairs: Sequence[Pair],
    judge: Role,
    on_compared: Callable[[Compared], None],
    *,
    order: AskOrder = "both",
    in_flight: int,
) -> None:
    """Ask the judge about each pair, `in_flight` pairs at a time.

    Args:
        pairs: Equal texts are a tie and cost no call.
        judge: The role whose model decides.
        on_compared: Called once for each pair, in order of completion.
        order: `both` asks twice, and verdicts that conflict are a tie; `drawn` asks once in an
            order drawn from the row's id (as AlpacaEval does).
        in_flight: Pairs at work at the same time, at least 1.

    Raises:
        LMError: A call failed in a way that affects every pair, for example a refused key.
    """

    async def work(block: Sequence[Pair]) -> None:
        for pair in block:
            on_compared(await _compare(pair, judge, order))

    await run_blocks(pairs, work, size=1, in_flight=in_flight)


async def _compare(pair: Pair, judge: Role, order: AskOrder) -> Compared:
    if pair.ours.strip() == pair.theirs.strip():
        return Compared(pair, None, None, "tie")
    try:
        return await (
            _compare_twice(pair, judge) if order == "both" else _compare_once(pair, judge)
        )
    except ROW_ERRORS as error:
        return Compared(pair, None, None, None, problem_of(error))


async def _compare_twice(pair: Pair, judge: Role) -> Compared:
    # Judges are biased towards a position; a preference for the text survives both orders.
    first, second = await asyncio.gather(
        _verdict(pair, judge, ours_first=True), _verdict(pair, judge, ours_first=False)
    )
    return _result(pair, first, second, outcome(first, second))


async def _compare_once(pair: Pair, judge: Role) -> Compared:
    is_first = bool(draw_number("order", pair.id) % 2)
    verdict = await _verdict(pair, judge, ours_first=is_first)
    first, second = (verdict, None) if is_first else (None, verdict)
    return _result(pair, first, second, single_outcome(verdict, ours_was_first=is_first))


def _result(
    pair: Pair, first: Verdict | None, second: Verdict | None, result: PairOutcome | None
) -> Compared:
    return Compared(pair, first, second, result, "" if result else "unreadable verdict")


async def _verdict(pair: Pair, judge: Role, *, ours_first: bool) -> Verdict | None:
    first, second = (pair.ours, pair.theirs) if ours_first else (pair.theirs, pair.ours)
    draw = draw_number("compare", pair.id, int(ours_first))
    texts = {"first": first, "second": second}
    if pair.instruction:
        inputs = {"instruction": pair.instruction, **texts}
        reply = await reply_of(CompareAnswers, judge, draw, inputs, COMPARED_ANSWERS)
    else:
        reply = await reply_of(CompareInstructions, judge, draw, texts, COMPARED_INSTRUCTIONS)
    return read_verdict(reply)


def read_verdict(reply: str) -> Verdict | None:
    """Return the verdict that a reply ends with; None: it ends with no verdict."""
    match = _LAST_WORD.search(reply.strip())
    return _VERDICTS[match[1].lower()] if match else None
