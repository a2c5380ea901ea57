"""IFD and IC-IFD of rows: the texts that a causal language model scores, and their figures."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.experiments.pretrained.loading import Tokens, batches
from autoevol.experiments.scores.causal_lm import LogProbs, TokenModel
from autoevol.experiments.scores.results import Figures, Rounds, SetScores, mean_figures
from autoevol.metrics.quality.ifd import Losses, losses
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Outcome, Row
from autoevol.program.scoring.ratings import exchange

NAME = "ifd"
_BREAK = "\n"
"""Between instruction and response (arXiv 2412.11231); context of the response, in no loss."""


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """An instruction and its response as tokens.

    Attributes:
        row: The row of both.
        prompt: The start token, the instruction, the line break.
        instruction_tokens: How many tokens of `prompt` are the instruction's.
        answer: The response's tokens.
        cut: Tokens of the response that were left out at its end.
    """

    row: Row
    prompt: Tokens
    instruction_tokens: int
    answer: Tokens
    cut: int


@dataclass(frozen=True, slots=True)
class UnscorableRow:
    """A row that cannot be scored, and why."""

    row: Row
    problem: str


async def ifd_scores(rounds: Rounds, model: TokenModel, listeners: Listeners) -> SetScores:
    """Return IFD and IC-IFD of rows, and their means by round."""
    rows = [row for members in rounds.values() for row in members]
    listeners.on_phase(Phase(f"score: {NAME}", len(rows)))
    encoded = [_encoded(row, model) for row in rows]
    scores = SetScores()
    for unscorable in encoded:
        if isinstance(unscorable, UnscorableRow):
            scores.problems[unscorable.row.id] = unscorable.problem
            listeners.on_row(Outcome(unscorable.row, unscorable.row, "failed"))
    pairs = [pair for pair in encoded if isinstance(pair, ScoredPair)]
    _add_figures(scores, pairs, await _losses(pairs, model, listeners))
    cut = {pair.row.id for pair in pairs if pair.cut}
    for number, members in rounds.items():
        scores.by_round[number] = _round_figures(members, scores, cut)
    return scores


def _encoded(row: Row, model: TokenModel) -> ScoredPair | UnscorableRow:
    texts = exchange(row)
    if texts is None:
        return UnscorableRow(row, "no answer")
    # The response is split into tokens by itself, not with the instruction before it: so L(A|Q) and
    # L(A) are of the same tokens.
    instruction, answer = model.tokens(texts["instruction"]), model.tokens(texts["answer"])
    prompt = (model.start, *instruction, *model.tokens(_BREAK))
    room = model.max_tokens - len(prompt)
    if room < 1:
        limit = model.max_tokens
        return UnscorableRow(row, f"too long: {len(prompt)} tokens of {limit} before the answer")
    cut = max(0, len(answer) - room)
    return ScoredPair(row, prompt, len(instruction), answer[:room], cut)


async def _losses(pairs: Sequence[ScoredPair], model: TokenModel, listeners: Listeners) -> Losses:
    """Return the losses of each response, after its instruction and alone, and of instructions."""
    texts = [(*pair.prompt, *pair.answer) for pair in pairs]
    texts += [(model.start, *pair.answer) for pair in pairs]
    log_probs: dict[int, LogProbs] = {}
    texts_done = Counter[int]()
    for batch in batches([len(text) for text in texts]):
        # In a thread, so that Ctrl-C is handled between two batches.
        results = await asyncio.to_thread(model.log_probs, [texts[number] for number in batch])
        log_probs |= zip(batch, results, strict=True)
        # A row's two texts have different lengths and may be in different batches: the row is
        # finished with the second one.
        texts_done.update(number % len(pairs) for number in batch)
        for number in [number for number, count in texts_done.items() if count == 2]:
            row = pairs[number].row
            listeners.on_row(Outcome(row, row, "kept"))
            del texts_done[number]
    return _split(pairs, [log_probs[number] for number in range(len(texts))])


def _split(pairs: Sequence[ScoredPair], log_probs: Sequence[LogProbs]) -> Losses:
    """Return the losses; position i of a text's log-probabilities is of its token i + 1."""
    joint, alone = log_probs[: len(pairs)], log_probs[len(pairs) :]
    both = list(zip(pairs, joint, strict=True))
    return losses(
        answer_given_instruction=[text[len(pair.prompt) - 1 :] for pair, text in both],
        answer=alone,
        # L(Q) needs no text of its own: a causal model reads Q before it sees the response.
        instruction=[text[: pair.instruction_tokens] for pair, text in both],
    )


def _add_figures(scores: SetScores, pairs: Sequence[ScoredPair], pair_losses: Losses) -> None:
    figures = zip(
        pairs,
        pair_losses.ifd.tolist(),
        pair_losses.ic_ifd.tolist(),
        pair_losses.reasons,
        strict=True,
    )
    for pair, ifd, ic_ifd, reason in figures:
        values = {"ifd": ifd, "ic_ifd": ic_ifd}
        finite = {name: round(value, 6) for name, value in values.items() if value == value}
        if finite:
            scores.by_row[pair.row.id] = finite
        if reason:
            scores.problems[pair.row.id] = reason
        if notes := _notes(pair, ifd):
            scores.evidence[pair.row.id] = "; ".join(notes)


def _notes(pair: ScoredPair, ifd: float) -> list[str]:
    notes = []
    if ifd > 1:
        notes.append("misleading: the answer is likelier without the instruction")
    if pair.cut:
        notes.append(f"cut: the last {pair.cut} tokens of the answer were not scored")
    return notes


def _round_figures(rows: Sequence[Row], scores: SetScores, cut: set[str]) -> Figures:
    values = [scores.by_row.get(row.id, {}) for row in rows]
    means = {name: mean_figures([own.get(name) for own in values]) for name in ("ifd", "ic_ifd")}
    return {
        **means,
        "misleading": sum(own.get("ifd", 0.0) > 1 for own in values),
        "cut": sum(row.id in cut for row in rows),
        "unscored": sum(row.id in scores.problems for row in rows),
    }
