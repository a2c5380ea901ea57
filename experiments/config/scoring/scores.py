"""The section `scores`: what is measured of a finished set."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from autoevol.experiments.config.section import LocalPath, Section
from autoevol.program.bounds import Count, Share
from autoevol.program.scoring.solving import Check

STATIC = "static"
"""WordLlama's 256 dimensions (MIT): means of token vectors, so blind to the order of words.

Fair for English, coarse for other scripts, whose words split into many tokens.
"""

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
"""Scores that call no model, computed where none is named. `keywords` must be named, since few sets
have a thinking text."""

JUDGED: tuple[ScoreName, ...] = ("difficulty", "complexity", "chain", "tags", "grade")
"""Scores that call `models.judge`."""

ASKING: tuple[ScoreName, ...] = (*JUDGED, "solver")
"""Scores that call a model through the engine."""

WEAK, STRONG = "solver", "strong_solver"
SOLVERS = (WEAK, STRONG)
"""Roles that the score `solver` calls."""

SOLVER_NEED = "the score `solver` needs it"
"""Why `models.solver` must be set."""

SCORING = ("judge", *SOLVERS)
"""Roles that scores call."""

ANSWERED: tuple[ScoreName, ...] = ("ifd", "reward")
"""Scores by models in this process that read responses; a set without responses has neither."""

SETTINGS_BY_SCORE: dict[ScoreName, tuple[str, ...]] = {
    "overlap": ("benchmarks", "runs", "alike"),
    "tags": ("sample", "embedding", "tag_similarity", "tag_rows"),
    "solver": ("sample", "samples", "check"),
    "ifd": ("sample", "scorer_tokens"),
    "reward": ("sample", "scorer_tokens"),
    **dict.fromkeys(("difficulty", "complexity", "chain", "grade"), ("sample",)),
}
"""Keys that a score's figures depend on, besides the model behind them."""


class ScoresConfig(Section):
    """The scores, and their settings.

    Attributes:
        names: Those to compute. A score that calls a model costs a call for each row (`chain` one
            for each seed).
        sample: Rows of each round that models score, drawn by the run's seed; null: all.
        embedding: Of texts, for `neighbours` and to merge tags of the same meaning: `static`, or a
            sentence-transformers model.
        benchmarks: Files whose instructions must not be in the set, for `overlap`.
        runs: Numbers of consecutive words that a row and a benchmark must share to overlap.
        alike: Share of common three-word runs from which two rows are near copies.
        tag_similarity: Cosine similarity from which two tags are merged.
        tag_rows: Rows that must have a tag for it to count.
        samples: How often each solver tries a row, for `solver`.
        check: The result that counts as right: the commonest one (the strong solver's, if there is
            one), or that of the row's response.
        scorer: The causal language model of `ifd`: `local/NAME` of the shipped weights,
            `local/PATH.gguf`, a folder, or a name of the Hugging Face hub.
        reward_model: The model of `reward`: a sequence classifier with one label, a folder or a
            name of the hub; null: there is none.
        scorer_tokens: Most tokens of instruction and response that these two models read. `ifd`
            cuts off the end of a longer response, `reward` leaves the row unscored.
    """

    names: list[ScoreName] = Field(default=[])
    sample: Count | None = None
    embedding: str = STATIC
    benchmarks: list[LocalPath] = Field(default=[])
    # The n-gram sizes of table 10 in arXiv 2406.00770.
    runs: list[Annotated[int, Field(ge=5)]] = Field(default=[8, 13], min_length=1)
    alike: Share = 0.7
    tag_similarity: Share = 0.9
    tag_rows: Count = 1
    # Eight tries, as pass@8 in IFDecorator, arXiv 2508.04632.
    samples: Annotated[int, Field(ge=2, le=1000)] = 8
    check: Check = "agreement"
    scorer: str = "local/smollm2-135m-instruct"
    reward_model: str | None = None
    scorer_tokens: Annotated[int, Field(ge=16)] = 2048

    @model_validator(mode="after")
    def _with_reward_model(self) -> Self:
        if "reward" in self.names and self.reward_model is None:
            raise ValueError("reward needs reward_model: a sequence classifier with one label")
        return self

    @property
    def judged(self) -> list[ScoreName]:
        """The scores that call the judge."""
        return [name for name in self.names if name in JUDGED]

    @property
    def asking(self) -> list[ScoreName]:
        """The scores that call a model."""
        return [name for name in self.names if name in ASKING]
