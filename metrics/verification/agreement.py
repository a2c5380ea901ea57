"""Cross-validation of verifiers and cases: each is judged by the others.

Source: AutoIF, arXiv 2406.13542, section 3.2. A case is kept if a function agrees with it; a
function is kept if it is right on enough of the kept cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is left of the functions and cases of one constraint.

    Attributes:
        functions: Numbers of the kept functions.
        cases: Numbers of the kept cases.
        accuracies: Of all functions on the kept cases, in [0, 1], higher is better; empty where no
            case is kept.
    """

    functions: tuple[int, ...]
    cases: tuple[int, ...]
    accuracies: tuple[float, ...]


def cross_validated(
    results: Sequence[Sequence[bool | None]], expected: Sequence[bool], least: float
) -> Agreement:
    """Return what is kept of functions and cases.

    Args:
        results: Of each function, for each case; None: it gave no bool.
        expected: For each case, what its author says.
        least: Accuracy from which on a function is kept, in [0, 1].
    """
    cases = tuple(
        case for case, keeps in enumerate(expected) if any(own[case] is keeps for own in results)
    )
    if not cases:
        return Agreement((), (), ())
    accuracies = tuple(
        sum(own[case] is expected[case] for case in cases) / len(cases) for own in results
    )
    functions = tuple(f for f, value in enumerate(accuracies) if value + _ROUNDING >= least)
    return Agreement(functions, cases, accuracies)
