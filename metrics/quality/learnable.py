"""Whether a row teaches: a weak solver fails what a strong one solves.

Source of the bands: Autodata, arXiv 2606.25996. The comparison with the parent is this project's: a
row that a weak solver gets right as often as the row it was evolved from is no harder for it.
"""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from autoevol.metrics.failure.cases import Reason

_Rate = Annotated[float, Ge(0), Le(1)]
_ROUNDING = 1e-9


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class LearnableOptions:
    """The bands of the rule set `learnable`, as a config's `failure.learnable` names them.

    Attributes:
        samples: k, how often each solver tries a task.
        solvable_above: `too_hard` below this share of the strong solver's samples that agree.
        easy_above: `too_easy` above this rate of the weak solver.
        margin: `too_easy` unless the weak solver's rate is so much lower than on the parent, or 0.
        least_gap: `no_gap` below this difference of the two rates.
    """

    samples: Annotated[int, Ge(2), Le(99)] = 5
    solvable_above: _Rate = 0.65
    easy_above: _Rate = 0.5
    margin: _Rate = 0.2
    least_gap: _Rate = 0.2


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a solver reached the reference result of a task.

    Attributes:
        right: At most `samples`.
        samples: k, at least 1.
    """

    right: int
    samples: int

    @property
    def rate(self) -> float:
        """Share of right samples, in [0, 1]; lower is harder."""
        return self.right / self.samples

    def __str__(self) -> str:
        return f"{self.right} of {self.samples} right"


def too_hard(strong: Tries, options: LearnableOptions) -> Reason | None:
    """Return why a task is unsolvable or beyond the strong solver; None: it is neither.

    Args:
        strong: Its samples with the commonest result.
        options: `solvable_above` decides.
    """
    if strong.rate + _ROUNDING >= options.solvable_above:
        return None
    return Reason("too_hard", f"strong solver: {strong.right} of {strong.samples} solutions agree")


def too_easy(weak: Tries, options: LearnableOptions) -> Reason | None:
    """Return why a task is too easy, without regard to its parent; None: it is not."""
    if weak.rate <= options.easy_above + _ROUNDING:
        return None
    return Reason("too_easy", f"weak solver: {weak}")


def no_gap(weak: Tries, strong: Tries, options: LearnableOptions) -> Reason | None:
    """Return why a task does not tell the solvers apart; None: it does."""
    if strong.rate - weak.rate + _ROUNDING >= options.least_gap:
        return None
    return Reason("no_gap", f"weak solver: {weak}, strong solver: {strong}")


def no_harder(weak: Tries, parent: Tries, options: LearnableOptions) -> Reason | None:
    """Return why a task is no harder for the weak solver than its parent; None: it is harder.

    The rate has to be lower by the margin, or 0: no rate can fall below that.

    Args:
        weak: The weak solver's samples of the task.
        parent: Its samples of the row that the task was evolved from.
        options: `margin` decides.
    """
    if weak.rate <= max(0.0, parent.rate - options.margin) + _ROUNDING:
        return None
    before = "as on the parent" if weak == parent else f"on the parent {parent}"
    return Reason("too_easy", f"weak solver: {weak}, {before}")
