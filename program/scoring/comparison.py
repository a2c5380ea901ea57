"""Two texts on the same row before a judge, in both orders or in a drawn one."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dspy.utils.exceptions import LMInvalidRequestError

from autoevol.metrics.quality.preference import PairOutcome, Verdict, outcome, single_outcome
from autoevol.program.blocks import run_blocks
from autoevol.program.draws import draw_number
from autoevol.program.lm_errors import UNSCORED_ERRORS
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import reply_of
from autoevol.signatures import CompareAnswers, CompareInstructions
from autoevol.signatures.scoring import COMPARED_ANSWERS, COMPARED_INSTRUCTIONS

AskOrder = Literal["both", "drawn"]
_VERDICTS: Mapping[str, Verdict] = {"first": "first", "second": "second", "tie": "tie"}
_LAST_WORD = re.compile(r"(?:^|[\n.:]|\bis)\W*(first|second|tie)\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong to the same row.

    Attributes:
        id: Of the row on our side.
        instruction: That both texts answer; empty: the texts are instructions themselves.
    """

    id: str
    ours: str
    theirs: str
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """What the judge said of a pair.

    Attributes:
        ours_first: Verdict where ours was shown first; None: not asked, or unreadable.
        ours_second: Verdict where it was shown second; None likewise.
        outcome: None: unscored.
        problem: Why it is unscored; "" otherwise.
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
        judge: Whose model decides.
        on_compared: Hears of each pair once.
        order: `both` asks twice, and verdicts that conflict are a tie; `drawn` asks once in an
            order that the row's id decides (as AlpacaEval does).
        in_flight: Pairs that are asked about side by side, at least 1.

    Raises:
        LMError: A call failed in a way that will befall every pair, a refused key for example.
    """

    async def work(block: Sequence[Pair]) -> None:
        for pair in block:
            on_compared(await _compared(pair, judge, order))

    await run_blocks(pairs, work, size=1, in_flight=in_flight)


async def _compared(pair: Pair, judge: Role, order: AskOrder) -> Compared:
    if pair.ours.strip() == pair.theirs.strip():
        return Compared(pair, None, None, "tie")
    try:
        return await (_both(pair, judge) if order == "both" else _drawn(pair, judge))
    except (*UNSCORED_ERRORS, LMInvalidRequestError) as error:
        return Compared(pair, None, None, None, f"{type(error).__name__}: {str(error)[:200]}")


async def _both(pair: Pair, judge: Role) -> Compared:
    first, second = await asyncio.gather(
        _verdict(pair, judge, ours_first=True), _verdict(pair, judge, ours_first=False)
    )
    found = outcome(first, second)
    return Compared(pair, first, second, found, "" if found else "unreadable verdict")


async def _drawn(pair: Pair, judge: Role) -> Compared:
    is_first = bool(draw_number("order", pair.id) % 2)
    verdict = await _verdict(pair, judge, ours_first=is_first)
    found = single_outcome(verdict, ours_was_first=is_first)
    problem = "" if found else "unreadable verdict"
    first, second = (verdict, None) if is_first else (None, verdict)
    return Compared(pair, first, second, found, problem)


async def _verdict(pair: Pair, judge: Role, *, ours_first: bool) -> Verdict | None:
    first, second = (pair.ours, pair.theirs) if ours_first else (pair.theirs, pair.ours)
    draw = draw_number("compare", pair.id, int(ours_first))
    shown = {"first": first, "second": second}
    if pair.instruction:
        shown = {"instruction": pair.instruction, **shown}
    if pair.instruction:
        reply = await reply_of(CompareAnswers, judge, draw, shown, COMPARED_ANSWERS)
    else:
        reply = await reply_of(CompareInstructions, judge, draw, shown, COMPARED_INSTRUCTIONS)
    return read_verdict(reply)


def read_verdict(reply: str) -> Verdict | None:
    """Return the verdict that a reply ends with; None: it ends with something else."""
    match = _LAST_WORD.search(reply.strip())
    return _VERDICTS[match[1].lower()] if match else None
