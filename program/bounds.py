"""Types of numbers with their bounds, for the fields of settings.

A dataclass does not enforce them: `experiments.config` does when it reads a YAML file.
"""

from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

Count = Annotated[int, Ge(1)]
Size = Annotated[int, Ge(0)]
Few = Annotated[int, Ge(1), Le(1000)]
"""How often something is repeated; a number that multiplies the calls of a run."""

FewOrNone = Annotated[int, Ge(0), Le(1000)]
Level = Annotated[float, Gt(0), Lt(1)]
"""Significance level of a test."""

Share = Annotated[float, Gt(0), Le(1)]
Temperature = Annotated[float, Ge(0), Le(2)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
