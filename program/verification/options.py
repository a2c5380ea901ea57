"""What the nine stages ask for and keep, and the settings of the published systems."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

_Count = Annotated[int, Ge(1), Le(10_000)]
PresetName = Literal["autoif", "hypherx"]


@dataclass(frozen=True)  # no slots: pydantic reads defaults off the class, where slots hide them
class VerificationOptions:
    """What the stages ask for and keep, as a config's `verify` names them.

    Attributes:
        proposals: Calls that propose constraints, ten each; 0: only the seed constraints.
        kinds: Constraints of shipped kinds, whose checks are written by hand; they skip the stages
            that write and examine verifiers.
        language: Of the shipped kinds' words.
        samples: Verifiers written for each constraint.
        agreement: Least accuracy of a function on the kept cases.
        least_functions: Functions that a constraint needs, after cross-validation.
        least_cases: Cases that it needs.
        two_sided: A constraint needs kept cases of both sorts: a function that is never seen to
            refuse, or never to accept, has shown nothing.
        descriptions: Functions of a constraint that are described in words and held against it; 0:
            stages 4 and 5 are left out.
        queries: Queries that each constraint is joined with.
        responses: Answers to each of them.
        grade_above: Answers are kept above this grade, in [1, 10]; null: nobody grades.
        positive: Least pass rate of an answer that is preferred; one that passes nothing is not.
        pairs: Preferred and rejected answers of a query at most, each.
    """

    proposals: Annotated[int, Ge(0), Le(10_000)] = 100
    kinds: Annotated[int, Ge(0), Le(1_000)] = 0
    language: Literal["en", "ko"] = "en"
    samples: _Count = 8
    agreement: Annotated[float, Gt(0), Le(1)] = 0.8
    least_functions: _Count = 3
    least_cases: _Count = 10
    two_sided: bool = True
    descriptions: Annotated[int, Ge(0), Le(100)] = 3
    queries: _Count = 16
    responses: _Count = 4
    grade_above: Annotated[float, Ge(0), Le(10)] | None = 8.0
    positive: Annotated[float, Gt(0), Le(1)] = 0.5
    pairs: _Count = 2


PRESETS: dict[PresetName, dict[str, Any]] = {
    # The numbers of the paper's code; it grades from 0 to 10 and keeps what is above 8.
    "autoif": {
        "least_functions": 3,
        "least_cases": 10,
        "two_sided": False,
        "descriptions": 3,
        "grade_above": 8.0,
    },
    # HypherX/Evolution-Analysis: stages 4, 5 and 8 are missing, and one answer is enough.
    "hypherx": {
        "least_functions": 1,
        "least_cases": 1,
        "two_sided": False,
        "descriptions": 0,
        "responses": 1,
        "grade_above": None,
    },
}
"""Settings of the published systems, by name."""
