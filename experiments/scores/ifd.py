"""IFD and IC-IFD of rows: what a causal language model is asked about, and what comes of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.experiments.scores.causal_lm import LogProbs, TokenModel
from autoevol.experiments.scores.pretrained import Tokens, batches
from autoevol.experiments.scores.set_scores import Figures, Rounds, SetScores, mean_figures
from autoevol.metrics.quality.ifd import Losses, losses
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Outcome, Row
from autoevol.program.scoring.ratings import exchange

NAME = "ifd"
_BREAK = "\n"
"""Between instruction and response (arXiv 2412.11231); context of the response, in no loss."""


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """An instruction and its response as a model sees them.

    Attributes:
        row: Whose they are.
        asked: The start token, the instruction, the line break.
        own: Tokens of `asked` that are the instruction's.
        told: The response's tokens, by themselves: the same ones with and without the instruction.
        cut: Tokens of the response that were left out at its end.
    """

    row: Row
    asked: Tokens
    own: int
    told: Tokens
    cut: int


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A row that cannot be scored, and why."""

    row: Row
    problem: str


async def ifd_scores(rounds: Rounds, model: TokenModel, listeners: Listeners) -> SetScores:
    """Return IFD and IC-IFD of rows, and their means by round.

    The model works in a thread, so that signals are heard between two batches.
    """
    rows = [row for members in rounds.values() for row in members]
    listeners.on_phase(Phase(f"score: {NAME}", len(rows)))
    read = [_read(row, model) for row in rows]
    found = SetScores()
    for each in read:
        if isinstance(each, Unpaired):
            found.problems[each.row.id] = each.problem
            listeners.on_row(Outcome(each.row, each.row, "failed"))
    pairs = [each for each in read if isinstance(each, ScoredPair)]
    _take(found, pairs, await _losses(pairs, model, listeners))
    cut = {pair.row.id for pair in pairs if pair.cut}
    for number, members in rounds.items():
        found.by_round[number] = _of_round(members, found, cut)
    return found


def _read(row: Row, model: TokenModel) -> ScoredPair | Unpaired:
    given = exchange(row)
    if given is None:
        return Unpaired(row, "no answer")
    own, told = model.tokens(given["instruction"]), model.tokens(given["answer"])
    asked = (model.start, *own, *model.tokens(_BREAK))
    room = model.most - len(asked)
    if room < 1:
        return Unpaired(row, f"too long: {len(asked)} tokens of {model.most} before the answer")
    return ScoredPair(row, asked, len(own), told[:room], max(0, len(told) - room))


async def _losses(pairs: Sequence[ScoredPair], model: TokenModel, listeners: Listeners) -> Losses:
    """Ask about each response with its instruction before it, and alone."""
    texts = [(*pair.asked, *pair.told) for pair in pairs]
    texts += [(model.start, *pair.told) for pair in pairs]
    held: dict[int, LogProbs] = {}
    heard = Counter[int]()
    for batch in batches([len(text) for text in texts]):
        told = await asyncio.to_thread(model.log_probs, [texts[number] for number in batch])
        held |= zip(batch, told, strict=True)
        heard.update(number % len(pairs) for number in batch)
        for number in [number for number, times in heard.items() if times == 2]:
            row = pairs[number].row
            listeners.on_row(Outcome(row, row, "kept"))
            del heard[number]
    return _split(pairs, [held[number] for number in range(len(texts))])


def _split(pairs: Sequence[ScoredPair], held: Sequence[LogProbs]) -> Losses:
    """Return the losses; position i of a text's log-probabilities is of its token i + 1."""
    joint, alone = held[: len(pairs)], held[len(pairs) :]
    both = list(zip(pairs, joint, strict=True))
    return losses(
        answer_given_instruction=[found[len(pair.asked) - 1 :] for pair, found in both],
        answer=alone,
        instruction=[found[: pair.own] for pair, found in both],
    )


def _take(found: SetScores, pairs: Sequence[ScoredPair], told: Losses) -> None:
    figures = zip(pairs, told.ifd.tolist(), told.ic_ifd.tolist(), told.reasons, strict=True)
    for pair, ifd, ic_ifd, reason in figures:
        named = {"ifd": ifd, "ic_ifd": ic_ifd}
        own = {name: round(value, 6) for name, value in named.items() if value == value}
        if own:
            found.by_row[pair.row.id] = own
        if reason:
            found.problems[pair.row.id] = reason
        if notes := _notes(pair, ifd):
            found.evidence[pair.row.id] = "; ".join(notes)


def _notes(pair: ScoredPair, ifd: float) -> list[str]:
    found = []
    if ifd > 1:
        found.append("misleading: the answer is likelier without the instruction")
    if pair.cut:
        found.append(f"cut: the last {pair.cut} tokens of the answer were not scored")
    return found


def _of_round(rows: Sequence[Row], found: SetScores, cut: set[str]) -> Figures:
    held = [found.by_row.get(row.id, {}) for row in rows]
    means = {name: mean_figures([own.get(name) for own in held]) for name in ("ifd", "ic_ifd")}
    return {
        **means,
        "misleading": sum(own.get("ifd", 0.0) > 1 for own in held),
        "cut": sum(row.id in cut for row in rows),
        "unscored": sum(row.id in found.problems for row in rows),
    }
