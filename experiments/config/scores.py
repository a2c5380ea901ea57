"""What is measured of a finished set, as the YAML says it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from autoevol.experiments.config.section import Section
from autoevol.program.bounds import Count, Share
from autoevol.program.scoring.solving import Check

STATIC = "static"
"""WordLlama's 256 dimensions (MIT): means of token vectors, no order of words; fair for English,
coarse for other scripts, whose words fall into many tokens."""

ScoreName = Literal[
    "length",
    "lexical",
    "neighbours",
    "overlap",
    "confidence",
    "difficulty",
    "complexity",
    "chain",
    "tags",
    "grade",
    "solver",
    "ifd",
    "growth",
    "quality",
    "keywords",
    "reward",
]

FREE: tuple[ScoreName, ...] = (
    *("length", "lexical", "neighbours", "overlap"),
    *("growth", "quality"),
)
"""Scores of a set that ask no model and are made where none is named; `keywords` is by name only,
since few sets have a thinking text."""

JUDGED: tuple[ScoreName, ...] = ("difficulty", "complexity", "chain", "tags", "grade")
"""Scores that ask `models.judge` about rows."""

ASKING: tuple[ScoreName, ...] = (*JUDGED, "solver")
"""Scores that ask a model through the engine."""

SOLVERS = ("solver", "strong_solver")
"""Roles that the score `solver` asks."""

SCORING = ("judge", *SOLVERS)
"""Roles that scores ask."""

ANSWERED: tuple[ScoreName, ...] = ("ifd", "reward")
"""Scores of models that run in this process and are shown responses; nothing without them."""

WENT_BY: dict[ScoreName, tuple[str, ...]] = {
    "overlap": ("benchmarks", "runs", "alike"),
    "tags": ("sample", "embedding", "tag_similarity", "tag_rows"),
    "solver": ("sample", "samples", "check"),
    "ifd": ("sample", "scorer_tokens"),
    "reward": ("sample", "scorer_tokens"),
    **dict.fromkeys(("difficulty", "complexity", "chain", "grade"), ("sample",)),
}
"""Keys that a score's figures depend on, beside the model that gives them."""


class ScoresConfig(Section):
    """The scores, and what they go by.

    Attributes:
        names: Which; those that ask a model cost a call for each row (`chain` one for each seed).
        sample: Rows of each round that models score, drawn by the run's seed; null: all.
        embedding: Of texts, for `neighbours` and for tags that mean the same: `static`, or a
            sentence-transformers model.
        benchmarks: Files whose instructions must not be in the set, for `overlap`.
        runs: Words that a row and a benchmark must share in a row to count as overlap.
        alike: Share of common runs of three words from which two rows are near copies.
        tag_similarity: Cosine similarity from which two tags are one.
        tag_rows: Rows that a tag must be in to count.
        samples: Times that each solver tries a row, for `solver`.
        check: Which result of a solver counts: the commonest (of the strong solver, where there is
            one), or that of the row's response.
        scorer: The causal language model of `ifd`: `local/NAME` of the shipped weights,
            `local/PATH.gguf`, a folder, or a name of the Hugging Face hub.
        reward_model: Of `reward`: a sequence classifier with one label, a folder or a name of the
            hub; null: there is none.
        scorer_tokens: Tokens of instruction and response that the two are shown at most; for `ifd`
            the end of a longer response is cut off, for `reward` the row is unscored.
    """

    names: list[ScoreName] = Field(default=[])
    sample: Count | None = None
    embedding: str = STATIC
    benchmarks: list[str] = Field(default=[])
    runs: list[Annotated[int, Field(ge=5)]] = Field(default=[8, 13], min_length=1)
    alike: Share = 0.7
    tag_similarity: Share = 0.9
    tag_rows: Count = 1
    samples: Annotated[int, Field(ge=2)] = 8
    check: Check = "agreement"
    scorer: str = "local/smollm2-135m-instruct"
    reward_model: str | None = None
    scorer_tokens: Annotated[int, Field(ge=16)] = 2048

    @model_validator(mode="after")
    def _reward_model(self) -> Self:
        if "reward" in self.names and self.reward_model is None:
            raise ValueError("reward needs reward_model: a sequence classifier with one label")
        return self

    @property
    def judged(self) -> list[ScoreName]:
        """The scores that ask the judge."""
        return [name for name in self.names if name in JUDGED]

    @property
    def asking(self) -> list[ScoreName]:
        """The scores that ask a model."""
        return [name for name in self.names if name in ASKING]
