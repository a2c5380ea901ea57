"""The YAML of one experiment, parsed and checked; every default lives here, once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from autoevol.experiments.config.errors import explained
from autoevol.experiments.config.evolve import AnswerConfig, EvolveConfig
from autoevol.experiments.config.filters import ALWAYS, FIGURES, FilterConfig
from autoevol.experiments.config.loading import MATRIX, tree_of
from autoevol.experiments.config.models import ModelsConfig
from autoevol.experiments.config.scores import ANSWERED, ScoresConfig
from autoevol.experiments.config.section import Section
from autoevol.experiments.models.budget import Budget
from autoevol.program.bounds import Count, Size
from autoevol.program.errors import ConfigError
from autoevol.program.search.settings import PAPER, SearchOptions

ExportName = Literal["alpaca", "sharegpt", "messages", "llama_factory", "trl", "parquet", "hf"]
ExportRounds = Literal["all", "last"] | tuple[Count, ...]
EVOLVING = ("evolver", "responder", "optimizer", "judge")
ROLES = (*EVOLVING, "solver", "strong_solver")
LEAST_ROWS = 3
"""One row each for train, dev and held-out."""

LIMITED_TRIALS = 2
"""`--limit N` also caps steps and candidates at this."""


class FieldsConfig(Section):
    """Names of the columns that hold what a row needs."""

    instruction: str = "instruction"
    input: str | None = "input"
    response: str | None = "response"
    id: str | None = "id"
    root: str | None = "root"
    turns: str | None = "turns"


class DataConfig(Section):
    """The seeds, and how many of them the search may use.

    Attributes:
        path: A JSON, JSONL, CSV or Parquet file, a folder of such, or a Hugging Face data set.
        split: Of a Hugging Face data set.
        train_size: Rows for the mini-batches; null: what is left of 2,000 (paper, footnote 1).
        fresh_size: Rows for the search's second look; null: as many as in dev, but at most a third
            of what dev and held-out leave.
        where: Use only rows whose columns hold these values: `{root: [a, b], lang: ko}`.
        limit: Use the first rows only.
    """

    path: Annotated[str, Field(min_length=1)]
    split: str = "train"
    fields: FieldsConfig = FieldsConfig()
    train_size: Size | None = None
    dev_size: Size = 50
    heldout_size: Size = 50
    fresh_size: Size | None = None
    where: dict[str, str | list[str]] = Field(default={})
    limit: Count | None = None


class FailureConfig(Section):
    """Rules of F by stage: names of rule sets and rules; `-name` takes one out.

    Attributes:
        thresholds: Other numbers than a rule's own, by rule and name: `{bloated: {times: 4}}`.
    """

    shorthands: ClassVar[tuple[str, ...]] = ("rules",)
    evolve: list[str] = Field(default=["strict"])
    respond: list[str] = Field(default=["strict"])
    thresholds: dict[str, dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]] = Field(
        default={}
    )

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "rules" not in given:
            return given
        rest = {key: value for key, value in given.items() if key != "rules"}
        return {"evolve": given["rules"], "respond": given["rules"], **rest}


class OptimizerConfig(Section, SearchOptions):
    """The search. See `program.search.settings.SearchSettings` for what is not explained here.

    Attributes:
        name: `auto_evol` is ours, `paper` the algorithm as published: the same loop with other
            defaults (`program.search.settings.PAPER`); `gepa` and `miprov2` are DSPy's, under the
            same budget and records (`program.search.teleprompters`); `none` applies
            `evolve.methods` as they are.
        initial_method: A method's name or a file; null: the one in `evolve.methods`.
        temperatures: Range of the proposals' temperature; null: `models.optimizer`'s.
        storage: An Optuna storage's URL that gets a view of the study, for optuna-dashboard; such
            as `sqlite:///study.db`.
        on_no_gain: What is applied when the best method fails no less than the initial one on the
            held-out rows.
    """

    name: Literal["auto_evol", "paper", "gepa", "miprov2", "none"] = "auto_evol"
    initial_method: str | None = None
    storage: str | None = None
    on_no_gain: Literal["keep_initial", "keep_best"] = "keep_initial"

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, given: Any) -> Any:
        is_paper = isinstance(given, dict) and given.get("name") == "paper"
        return {**PAPER, **given} if is_paper else given

    @model_serializer(mode="wrap")
    def _name_first(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the name before the settings that depend on it; inherited fields come first."""
        return {"name": self.name, **serialise(self)}

    @field_validator("storage")
    @classmethod
    def _without_password(cls, given: str | None) -> str | None:
        if given and urlsplit(given).password:
            raise ValueError("holds a password, which would go into files; let the driver find it")
        return given

    @field_validator("temperatures")
    @classmethod
    def _rising(cls, given: tuple[float, float] | None) -> tuple[float, float] | None:
        if given and given[0] > given[1]:
            raise ValueError("must be a range [low, high]")
        return given


class OutputConfig(Section):
    """Where the run's folder lies and which exports it gets besides `evolved.jsonl`.

    Attributes:
        rounds: What is exported: `all`, the `last` that has rows, or these.
        with_seeds: Export the seeds that have responses, too.
    """

    dir: str | None = None
    formats: list[ExportName] = Field(default=[])
    rounds: ExportRounds = "all"
    with_seeds: bool = False

    @field_validator("rounds", mode="before")
    @classmethod
    def _known(cls, given: Any) -> Any:
        is_list = isinstance(given, list | tuple) and given
        whole = is_list and all(type(each) is int and each > 0 for each in given)
        if given not in ("all", "last") and not whole:
            raise ValueError("must be all, last, or a list of rounds from 1")
        return given


class BudgetConfig(Section, Budget):
    """Caps of the whole run; null: none."""


class ExperimentConfig(Section):
    """Everything one run needs; two equal configs mean the same run."""

    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")]
    seed: int = 0
    models: ModelsConfig
    data: DataConfig
    failure: FailureConfig = FailureConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    evolve: EvolveConfig = EvolveConfig()
    answer: AnswerConfig = AnswerConfig()
    scores: ScoresConfig = ScoresConfig()
    filters: list[FilterConfig] = Field(default=[])
    output: OutputConfig = OutputConfig()
    budget: BudgetConfig = BudgetConfig()

    @model_validator(mode="after")
    def _answers_for_export(self) -> Self:
        if self.output.formats and not self.evolve.respond:
            raise ValueError("output.formats needs responses, evolve.respond is false")
        return self

    @model_validator(mode="after")
    def _answers_for_scores(self) -> Self:
        needing = [name for name in self.scores.names if name in ANSWERED]
        if needing and not self.evolve.respond:
            raise ValueError(f"scores.names: {needing[0]} needs responses, evolve.respond is false")
        return self

    @model_validator(mode="after")
    def _rounds_there_are(self) -> Self:
        chosen = self.output.rounds
        if not isinstance(chosen, str) and max(chosen) > self.evolve.rounds:
            raise ValueError(
                f"output.rounds names round {max(chosen)}, evolve.rounds is {self.evolve.rounds}"
            )
        return self

    @model_validator(mode="after")
    def _figures_to_filter_by(self) -> Self:
        known = [
            *ALWAYS,
            *(figure for name in self.scores.names for figure in FIGURES.get(name, ())),
        ]
        for number, each in enumerate(self.filters):
            wanted = getattr(each, "score", None)
            if wanted is not None and wanted not in known:
                raise ValueError(
                    f"filters.{number} goes by {wanted!r}, which scores.names does not make; "
                    f"there is {', '.join(known)}"
                )
        return self

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.output.dir or f"runs/{self.name}")

    @property
    def is_search(self) -> bool:
        """Whether the method is optimised before it is applied."""
        return self.optimizer.name != "none"

    @property
    def judges_answers(self) -> bool:
        """Whether the judge chooses among the samples of an answer."""
        return self.answer.samples > 1 and self.answer.choose == "judge"

    @property
    def search_rows(self) -> DataConfig:
        """The sizes of the search's splits; zeros without a search."""
        none = {"train_size": 0, "dev_size": 0, "heldout_size": 0, "fresh_size": 0}
        if not self.is_search:
            return self.data.model_copy(update=none)
        looks_twice = self.optimizer.name in ("auto_evol", "paper") and self.optimizer.finalists
        fresh = self.data.fresh_size if looks_twice else self.data.fresh_size or 0
        return self.data.model_copy(update={"fresh_size": fresh})


def load_config(
    path: Path, overrides: Sequence[str] = (), *, out: Path | None = None, limit: int | None = None
) -> ExperimentConfig:
    """Parse one YAML file.

    Args:
        path: The file.
        overrides: `a.b=c`; the value is read as YAML.
        out: Replaces `output.dir`.
        limit: Caps rows, batch, dev and held-out at N, steps and candidates at 2; searches whether
            or not anything can be told from so few rows.

    Raises:
        ConfigError: Names the file and the key.
    """
    config = config_of(tree_of(path, overrides), path, out=out)
    return limited(config, limit) if limit else config


def config_of(tree: dict[str, Any], path: Path, *, out: Path | None = None) -> ExperimentConfig:
    """Return the config that a file's keys make up.

    Raises:
        ConfigError: Names the file and the key.
    """
    if tree.get(MATRIX) is not None:
        raise ConfigError(f"{path}: {MATRIX}", "stands for several runs, here it takes one")
    tree = {key: value for key, value in tree.items() if key != MATRIX}
    output = tree.get("output") or {}
    if out is not None and isinstance(output, dict):
        tree["output"] = {**output, "dir": str(out)}
    try:
        return ExperimentConfig.model_validate(tree)
    except ValidationError as error:
        raise explained(path, error, ExperimentConfig) from error


def limited(config: ExperimentConfig, n: int) -> ExperimentConfig:
    """Return the config of a small trial with at most `n` rows.

    Raises:
        ConfigError: A search needs more of them.
    """
    data, search = config.data, config.optimizer
    if config.is_search and n < LEAST_ROWS:
        raise ConfigError(f"--limit {n}", f"a search needs at least {LEAST_ROWS} rows")
    rows = min(data.limit or n, n)
    third = max(1, rows // 3)
    return config.model_copy(
        update={
            "data": data.model_copy(
                update={
                    "limit": rows,
                    "train_size": None,
                    "dev_size": min(data.dev_size, third),
                    "heldout_size": min(data.heldout_size, third),
                    "fresh_size": _limited_fresh(data, rows, third),
                }
            ),
            "output": config.output.model_copy(update={"dir": limited_folder(config, n)}),
            "optimizer": search.model_copy(
                update={
                    "batch_size": min(search.batch_size, n),
                    "steps": min(search.steps, LIMITED_TRIALS),
                    "candidates": min(search.candidates, LIMITED_TRIALS),
                    "headroom": False,
                }
            ),
        }
    )


def limited_folder(config: ExperimentConfig, n: int) -> str:
    """Return the folder of a small trial: the one that is named, or one of its own."""
    return config.output.dir or f"runs/{config.name}-limit-{n}"


def _limited_fresh(data: DataConfig, rows: int, third: int) -> int | None:
    """Return how many fresh rows a small trial can have; null stays null."""
    if data.fresh_size is None:
        return None
    left = rows - min(data.dev_size, third) - min(data.heldout_size, third) - 1
    return max(0, min(data.fresh_size, left))


def check_solvers(config: ExperimentConfig, where: str) -> None:
    """Check that there is a solver if one is asked, and that its samples differ.

    Raises:
        ConfigError: Names the key.
    """
    if "solver" not in config.scores.names:
        return
    if config.models.solver is None:
        raise ConfigError(f"{where}: models.solver", "is not there, and the score `solver` asks it")
    if config.models.solver == config.models.strong_solver:
        raise ConfigError(f"{where}: models.strong_solver", "is the solver itself: no gap to find")
    for role in ("solver", "strong_solver"):
        model = getattr(config.models, role)
        if model and model.temperature == 0:
            raise ConfigError(
                f"{where}: models.{role}.temperature", "is 0, so all its samples would be the same"
            )
