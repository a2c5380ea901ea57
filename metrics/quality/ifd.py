"""Instruction-following difficulty (IFD, IC-IFD): how little an instruction helps with its answer.

Losses are mean token cross-entropies of one base model in nats, not perplexities. IFD has no unit;
IC-IFD is per nat, so only values of the same base model compare.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

TokenLosses = NDArray[np.float64]
Unscorable = Literal[
    "no answer", "no instruction", "certain answer", "certain instruction", "impossible token"
]


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean token losses of each row, at least 0; lower is likelier. nan: the text has no tokens.

    Attributes:
        answer_given_instruction: (rows,), L(A|Q): the answer's tokens after the instruction.
        answer: (rows,), L(A): the answer's tokens alone.
        instruction: (rows,), L(Q): the instruction's tokens alone.
    """

    answer_given_instruction: TokenLosses
    answer: TokenLosses
    instruction: TokenLosses

    @property
    def ifd(self) -> TokenLosses:
        """(rows,), L(A|Q) / L(A); higher: the instruction helps less. nan: unscored.

        Source: arXiv 2308.12032; arXiv 2412.11231, equation 1.
        """
        return _quotient(self.answer_given_instruction, self.answer)

    @property
    def ic_ifd(self) -> TokenLosses:
        """(rows,), L(A|Q) / (L(Q) L(A)); higher is better. nan: unscored.

        An instruction that is hard to predict lowers it. Source: arXiv 2412.11231, equation 2.
        """
        return _quotient(self.answer_given_instruction, self.instruction * self.answer)

    @property
    def misleading(self) -> NDArray[np.bool_]:
        """(rows,), whether IFD > 1: the answer is less likely after the instruction than alone.

        The two often do not belong together. Cherry_LLM drops such pairs; here they are marked.
        """
        # A comparison with nan is false, so unscored rows are not marked.
        is_misleading: NDArray[np.bool_] = self.ifd > 1
        return is_misleading

    @property
    def reasons(self) -> list[Unscorable | None]:
        """Why a row has no IC-IFD, by row; None where it has one.

        A row whose instruction alone is the reason still has an IFD.
        """
        rows = zip(self.answer_given_instruction, self.answer, self.instruction, strict=True)
        return [_reason(joint, alone, instruction) for joint, alone, instruction in rows]


def losses(
    answer_given_instruction: Iterable[ArrayLike],
    answer: Iterable[ArrayLike],
    instruction: Iterable[ArrayLike],
) -> Losses:
    """Return the losses of rows from the natural log-probabilities of their tokens.

    Args:
        answer_given_instruction: (tokens,) for each row, at most 0; empty for an empty answer.
        answer: The same tokens without the instruction before them.
        instruction: The instruction's own tokens.

    Raises:
        ValueError: The three have different numbers of rows.
    """
    means = [mean_losses(texts) for texts in (answer_given_instruction, answer, instruction)]
    sizes = [len(column) for column in means]
    if len(set(sizes)) > 1:
        raise ValueError(f"log-probabilities are for {sizes} rows")
    return Losses(*means)


def mean_losses(log_probs: Iterable[ArrayLike]) -> TokenLosses:
    """Return the mean token loss of each text, (texts,); nan for one without tokens."""
    arrays = [np.asarray(tokens, dtype=np.float64) for tokens in log_probs]
    means = [-tokens.mean() if tokens.size else np.nan for tokens in arrays]
    return np.array(means, dtype=np.float64)


def _quotient(part: TokenLosses, whole: TokenLosses) -> TokenLosses:
    quotients = np.full(len(part), np.nan)
    is_scored = np.isfinite(part) & np.isfinite(whole) & (whole > 0)
    # Where `where` is false nothing is computed: no warning of a division by zero, and nan stays.
    np.divide(part, whole, out=quotients, where=is_scored)
    return quotients


def _reason(joint: float, alone: float, instruction: float) -> Unscorable | None:
    """Return why L(A|Q), L(A) and L(Q) give no IC-IFD."""
    # Asked first: an infinite loss (a token of probability 0) is no sign of an empty text.
    if np.isinf([joint, alone, instruction]).any():
        return "impossible token"
    if np.isnan([joint, alone]).any():
        return "no answer"
    if alone <= 0:
        return "certain answer"
    if np.isnan(instruction):
        return "no instruction"
    return "certain instruction" if instruction <= 0 else None
