"""The section `filters`: which rows of a finished set stay."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from autoevol.experiments.config.scoring.scores import STATIC, ScoreName
from autoevol.experiments.config.section import LocalPath, Section
from autoevol.program.bounds import Count, Share

ALWAYS = ("added_words", "response_truncated")
"""Figures that every evolved row has."""

TAUGHT = ("weak_rate", "strong_rate", "rate_gap", "parent_rate", "demands_more")
"""Figures of rows where F asks what they teach."""

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
"""Figures that each score stores in a row, for filters to use."""

_TOP_BY = "top_"


class Dedup(Section):
    """Removes near copies of earlier rows and of seeds.

    Attributes:
        name: Of the filter.
        alike: Share of common three-word runs from which two rows are copies.
    """

    name: Literal["dedup"]
    alike: Share = 0.7


class Decontaminate(Section):
    """Removes rows that share a run of words with a benchmark.

    Attributes:
        name: Of the filter.
        benchmarks: Their files.
        runs: Consecutive words that must be shared.
    """

    name: Literal["decontaminate"]
    benchmarks: list[LocalPath] = Field(min_length=1)
    # The longer of the two sizes in table 10 of arXiv 2406.00770.
    runs: Annotated[int, Field(ge=5)] = 13


class Band(Section):
    """Keeps rows whose figure is in (low, high].

    Attributes:
        name: Of the filter.
        score: The figure, such as `difficulty` or `mnd`.
        low: Rows at or below it are left out; `-.inf`: none.
        high: Rows above it are left out; `.inf`: none.
    """

    name: Literal["band"]
    score: str
    # Infinite: the band has one end.
    low: Annotated[float, Field(allow_inf_nan=True)]
    high: Annotated[float, Field(allow_inf_nan=True)]


class Top(Section):
    """Keeps the rows with the highest values of a figure.

    Attributes:
        name: Of the filter.
        score: The figure.
        part: Share of the rows that have the figure.
    """

    name: Literal["top"]
    score: str
    part: Share


class DiverseSubset(Section):
    """Keeps rows that are far apart in embedding space, chosen greedily.

    Attributes:
        name: Of the filter.
        least: Least distance of two rows, on unit vectors; only without a score.
        score: The figure whose highest values are chosen first (Deita's rule); null: rows in their
            order.
        tau: Cosine similarity above which two rows are too near; only with a score.
        most: Rows to keep, only with a score; null: no limit.
        embedding: Of the texts: `static`, or a sentence-transformers model.
    """

    name: Literal["diverse_subset"]
    least: Annotated[float, Field(gt=0, le=2)] = 0.3
    score: str | None = None
    # Deita's embedding filter, arXiv 2312.15685.
    tau: Share = 0.9
    most: Count | None = None
    embedding: str = STATIC

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        unused = {"least"} if self.score else {"tau", "most"}
        # Defaults are accepted: a run's resolved config.yaml spells them out and is read again.
        changed = [
            name
            for name in sorted(unused & self.model_fields_set)
            if getattr(self, name) != _default(self, name)
        ]
        if changed:
            problem = f"has no effect {'with' if self.score else 'without'} score; remove it"
            raise ValueError(f"{changed[0]} {problem}")
        return self


def _default(model: Section, name: str) -> Any:
    return type(model).model_fields[name].default


def _spelled_out(tree: Any) -> Any:
    """Return `dedup` and `{dedup: {...}}` as `{name: dedup, ...}`, `top_mnd: 0.3` as a `top`."""
    if isinstance(tree, str):
        return {"name": tree}
    if isinstance(tree, dict) and "name" not in tree and len(tree) == 1:
        ((name, settings),) = tree.items()
        if settings is None or isinstance(settings, dict):
            return {"name": name, **(settings or {})}
        if str(name).startswith(_TOP_BY):
            return {"name": "top", "score": name.removeprefix(_TOP_BY), "part": settings}
    return tree


FilterConfig = Annotated[
    Annotated[
        Dedup | Decontaminate | Band | Top | DiverseSubset,
        Field(discriminator="name"),
    ],
    BeforeValidator(_spelled_out),
]
