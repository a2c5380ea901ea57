"""How much an instruction helps a model with its answer: IFD and IC-IFD.

Losses are mean token cross-entropies in nats of one base model; neither is a perplexity. IFD has no
unit; IC-IFD is per nat, so it compares only between figures of one scorer.
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
    """Mean token losses of each row, at least 0; lower is likelier. nan: there were no tokens.

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
        """(rows,), L(A|Q) / (L(Q) L(A)); higher is kept. nan: unscored.

        Source: arXiv 2412.11231, equation 2. An instruction that is hard to predict lowers it.
        """
        return _quotient(self.answer_given_instruction, self.instruction * self.answer)

    @property
    def misleading(self) -> NDArray[np.bool_]:
        """(rows,), whether IFD > 1: the answer is less likely after the instruction than alone.

        Such pairs often do not belong together; Cherry_LLM drops them, here they are only marked.
        """
        found: NDArray[np.bool_] = self.ifd > 1
        return found

    @property
    def reasons(self) -> list[Unscorable | None]:
        """Why a row has no IC-IFD, by row; None where it has one.

        Where only the instruction is in the way the row still has an IFD.
        """
        rows = zip(self.answer_given_instruction, self.answer, self.instruction, strict=True)
        return [_reason(given, alone, asked) for given, alone, asked in rows]


def losses(
    answer_given_instruction: Iterable[ArrayLike],
    answer: Iterable[ArrayLike],
    instruction: Iterable[ArrayLike],
) -> Losses:
    """Return the losses of rows from the natural log-probabilities of their tokens.

    Args:
        answer_given_instruction: For each row (tokens,), at most 0; empty for an empty answer.
        answer: The same tokens without the instruction before them.
        instruction: The instruction's own tokens.

    Raises:
        ValueError: The three have different numbers of rows.
    """
    found = [mean_losses(each) for each in (answer_given_instruction, answer, instruction)]
    sizes = [len(each) for each in found]
    if len(set(sizes)) > 1:
        raise ValueError(f"log-probabilities are for {sizes} rows")
    return Losses(*found)


def mean_losses(log_probs: Iterable[ArrayLike]) -> TokenLosses:
    """Return the mean token loss of each text, (texts,); nan for one without tokens."""
    arrays = [np.asarray(each, dtype=np.float64) for each in log_probs]
    return np.array([-each.mean() if each.size else np.nan for each in arrays], dtype=np.float64)


def _quotient(part: TokenLosses, whole: TokenLosses) -> TokenLosses:
    found = np.full(len(part), np.nan)
    is_scored = np.isfinite(part) & np.isfinite(whole) & (whole > 0)
    np.divide(part, whole, out=found, where=is_scored)
    return found


def _reason(given: float, alone: float, asked: float) -> Unscorable | None:
    if np.isinf([given, alone, asked]).any():
        return "impossible token"
    if np.isnan([given, alone]).any():
        return "no answer"
    if alone <= 0:
        return "certain answer"
    if np.isnan(asked):
        return "no instruction"
    return "certain instruction" if asked <= 0 else None
