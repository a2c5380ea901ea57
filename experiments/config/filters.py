"""Which rows of a finished set stay, as the YAML says it."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from autoevol.experiments.config.scores import STATIC, ScoreName
from autoevol.experiments.config.section import Section
from autoevol.program.bounds import Count, Share

ALWAYS = ("added_words", "response_truncated")
"""Figures that every evolved row has."""

FIGURES: dict[ScoreName, tuple[str, ...]] = {
    "length": ("words",),
    "neighbours": ("mnd",),
    "overlap": ("copies",),
    "difficulty": ("difficulty",),
    "complexity": ("complexity",),
    "chain": ("chain",),
    "grade": ("grade",),
    "confidence": ("confidence",),
    "solver": ("solver", "strong_solver", "solver_gap"),
    "ifd": ("ifd", "ic_ifd"),
    "growth": ("grown_words",),
    "quality": ("shortfall",),
    "keywords": ("operations",),
    "reward": ("reward",),
}
"""What each score leaves in a row, for filters to go by."""


_TOP_BY = "top_"


class Dedup(Section):
    """Takes out rows that say what an earlier row or a seed says.

    Attributes:
        alike: Share of common runs of three words from which two rows are copies.
    """

    name: Literal["dedup"]
    alike: Share = 0.7


class Decontaminate(Section):
    """Takes out rows that share a run of words with a benchmark.

    Attributes:
        benchmarks: Files of them.
        runs: Words of a run.
    """

    name: Literal["decontaminate"]
    benchmarks: list[str] = Field(min_length=1)
    runs: Annotated[int, Field(ge=5)] = 13


class Band(Section):
    """Keeps rows whose figure lies in (low, high]."""

    name: Literal["band"]
    score: str
    low: float
    high: float


class Top(Section):
    """Keeps the rows with the highest figures, a share of those that have one."""

    name: Literal["top"]
    score: str
    part: Share


class DiverseSubset(Section):
    """Keeps rows that lie apart in embedding space, greedily.

    Attributes:
        least: Distance on unit vectors that two rows must have, when there is no score.
        score: The highest figures come first (Deita's rule); null: rows in their order.
        tau: Cosine similarity above which two rows are too near, with a score.
        most: Rows to keep, with a score; null: no limit.
    """

    name: Literal["diverse_subset"]
    least: Annotated[float, Field(gt=0, le=2)] = 0.3
    score: str | None = None
    tau: Share = 0.9
    most: Count | None = None
    embedding: str = STATIC

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        idle = {"least"} if self.score else {"tau", "most"}
        useless = sorted(idle & self.model_fields_set - {"embedding"})
        given = [name for name in useless if getattr(self, name) != _default(self, name)]
        if given:
            raise ValueError(f"{given[0]} says nothing {'with' if self.score else 'without'} score")
        return self


def _default(model: Section, name: str) -> Any:
    return type(model).model_fields[name].default


def _spelled_out(given: Any) -> Any:
    """Return `dedup` and `{dedup: {...}}` as `{name: dedup, ...}`, `top_mnd: 0.3` as a `top`."""
    if isinstance(given, str):
        return {"name": given}
    if isinstance(given, dict) and "name" not in given and len(given) == 1:
        ((name, settings),) = given.items()
        if settings is None or isinstance(settings, dict):
            return {"name": name, **(settings or {})}
        if str(name).startswith(_TOP_BY):
            return {"name": "top", "score": name.removeprefix(_TOP_BY), "part": settings}
    return given


FilterConfig = Annotated[
    Annotated[
        Dedup | Decontaminate | Band | Top | DiverseSubset,
        Field(discriminator="name"),
    ],
    BeforeValidator(_spelled_out),
]
