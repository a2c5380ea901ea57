"""The YAML of one experiment: all its sections together, and what must hold between them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from autoevol.experiments.config.data import USUAL_SIZE, DataConfig
from autoevol.experiments.config.errors import checked, shown
from autoevol.experiments.config.evolve import AnswerConfig, EvolveConfig
from autoevol.experiments.config.loading import MATRIX, tree_of
from autoevol.experiments.config.models import ModelsConfig
from autoevol.experiments.config.optimizer import OptimizerConfig
from autoevol.experiments.config.scoring.filters import ALWAYS, FIGURES, TAUGHT, FilterConfig
from autoevol.experiments.config.scoring.scores import ANSWERED, ScoresConfig
from autoevol.experiments.config.section import Section
from autoevol.experiments.config.shipped import KOEVOL_METHODS
from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.config.verify import VerifyConfig
from autoevol.experiments.files.paths import name_problem
from autoevol.experiments.models.budget import Budget
from autoevol.metrics.quality.learnable import LearnableOptions
from autoevol.program.bounds import Count
from autoevol.program.errors import ConfigError

ExportName = Literal[
    "alpaca",
    "sharegpt",
    "messages",
    "llama_factory",
    "trl",
    "parquet",
    "csv",
    "hf",
    "koevol",
    "koevol_failures",
    "auto_evol",
]
ExportRounds = Literal["all", "last"] | tuple[Count, ...]
EVOLVING = ("evolver", "responder", "optimizer", "judge")
ROLES = (*EVOLVING, "solver", "strong_solver")
LEAST_ROWS = 3
"""One row each for train, dev and held-out."""

MOST_SEED = 2**32 - 1
"""Largest seed that numpy, and with it Optuna, takes."""

_LONGEST_NAME = 200

LIMITED_TRIALS = 2
"""`--limit N` also caps steps, candidates, and what the stages of `verify` take at this."""


class LearnableConfig(Section, LearnableOptions):
    """The bands of the rule set `learnable`; `LearnableOptions` explains the keys."""


class FailureConfig(Section):
    """Rules of F by stage: names of rule sets and rules; `-name` takes one out.

    Attributes:
        evolve: Rules on the rewritten instruction.
        respond: Rules on the answer.
        teach: Rules on what a row teaches, `learnable` or some of it. They ask `models.solver` and
            `models.strong_solver`, and the judge about open tasks.
        learnable: How often solvers try a task, and which rates pass.
        thresholds: Numbers that replace a rule's own, by rule and name: `{bloated: {times: 4}}`.
        suspects: What becomes of a row that is only suspected. "auto": dropped where the evolver
            copies its seeds' words, kept where it rewords them or nobody knows.
    """

    shorthands: ClassVar[tuple[str, ...]] = ("rules",)
    evolve: list[str] = Field(default=["strict"])
    respond: list[str] = Field(default=["strict"])
    teach: list[str] = Field(default=[])
    learnable: LearnableConfig = LearnableConfig()
    thresholds: dict[str, dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]]] = Field(
        default={}
    )
    suspects: Literal["auto", "keep", "retry", "drop"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, tree: Any) -> Any:
        """Let `rules` stand for both stages."""
        if not isinstance(tree, dict) or "rules" not in tree:
            return tree
        rules = tree["rules"]
        if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
            raise ValueError(f"rules must be a list of rules and rule sets, got {shown(rules)}")
        rest = {key: value for key, value in tree.items() if key != "rules"}
        return {"evolve": tree["rules"], "respond": tree["rules"], **rest}


class OutputConfig(Section):
    """The run's folder, and the exports in it besides `evolved.jsonl`.

    Attributes:
        dir: The run's folder; null: `runs/NAME`.
        formats: Of the exports (docs/data-tools.md). Null: `messages`, of answered rows; []: none.
        rounds: Rounds to export: `all`, the `last` that has rows, or these.
        with_seeds: Export the seeds that have responses, too.
        with_ids: Write each row's `id`, by which exports can be joined with `evolved.jsonl`.
    """

    dir: str | None = None
    formats: list[ExportName] | None = None
    rounds: ExportRounds = "all"
    with_seeds: bool = False
    with_ids: bool = True

    @field_validator("dir")
    @classmethod
    def _possible_path(cls, path: str | None) -> str | None:
        if path is None:
            return None
        if not path.strip():
            raise ValueError("must be the path of a folder, is empty")
        if problem := name_problem(path):
            raise ValueError(problem)
        return str(Path(path).expanduser()) if path.startswith("~") else path

    @field_validator("rounds", mode="before")
    @classmethod
    def _words_or_numbers(cls, rounds: Any) -> Any:
        # Checked here, because pydantic has an error for each alternative of a union, with the
        # alternative in the key: `output.rounds.literal['all','last']`.
        is_list = isinstance(rounds, list | tuple) and rounds
        # `type`, not isinstance: YAML's `true` is an int for Python.
        are_numbers = is_list and all(type(item) is int and item > 0 for item in rounds)
        if rounds not in ("all", "last") and not are_numbers:
            raise ValueError("must be all, last, or a list of rounds from 1")
        return rounds


class BudgetConfig(Section, Budget):
    """Caps of the whole run; null: none."""


class ExperimentConfig(Section):
    """Everything one run needs; two equal configs mean the same run.

    Attributes:
        name: Of the run: letters, digits, `._+-`. Its folder and its MLflow run have it.
        seed: Of every draw that is not a model's: splits, choices of methods, samples.
        models: The model of each role.
        data: Where the seeds are, and how they are split.
        failure: F: which rules a rewrite and an answer must pass.
        optimizer: The search. Without this section, methods that the config names are applied as
            they are; a config that names none searches from e0.
        evolve: How the whole set is evolved.
        answer: How instructions are answered.
        scores: What is measured of the finished set.
        filters: What exports leave out of it, in this order: a name, or a name with its settings.
        verify: The nine stages of `autoevol verify`; null: there are none.
        train: How `autoevol train` fine-tunes a student on the run's rows; null: as by default.
        output: The run's folder and its exports.
        budget: Caps of the whole run, over all of its tries.
    """

    name: Annotated[str, Field(pattern=r"^[\w.+-]+$")]
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0
    models: ModelsConfig
    data: DataConfig
    failure: FailureConfig = FailureConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    evolve: EvolveConfig = EvolveConfig()
    answer: AnswerConfig = AnswerConfig()
    scores: ScoresConfig = ScoresConfig()
    filters: list[FilterConfig] = Field(default=[])
    verify: VerifyConfig | None = None
    train: TrainConfig | None = None
    output: OutputConfig = OutputConfig()
    budget: BudgetConfig = BudgetConfig()

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        # The folder of a trial or of an earlier run has this name and a suffix.
        if len(name.encode()) > _LONGEST_NAME or set(name) == {"."}:
            raise ValueError(f"must be the name of a folder, at most {_LONGEST_NAME} bytes long")
        return name

    @model_validator(mode="after")
    def _possible_exports(self) -> Self:
        if problem := _export_problem(self):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _usable_answers(self) -> Self:
        samples = self.answer.samples
        if self.answer.check != "none" and not self.evolve.respond:
            raise ValueError(f"answer.check is {self.answer.check}, but evolve.respond is false")
        if self.answer.check == "agreement" and samples < 2 and self.evolve.rounds:
            raise ValueError(
                f"answer.check is agreement, but answer.samples is {samples}: one answer agrees "
                "with itself"
            )
        if self.answer.check == "constraints" and self.evolve.rounds and not self.evolve.checks:
            raise ValueError(
                "answer.check is constraints, but evolve.checks is 0: evolved rows would have none"
            )
        needing = [name for name in self.scores.names if name in ANSWERED]
        if needing and not self.evolve.respond:
            raise ValueError(f"scores.names: {needing[0]} needs responses, evolve.respond is false")
        return self

    @model_validator(mode="after")
    def _existing_rounds(self) -> Self:
        # Where the rows tell the first round, the plan checks it.
        if self.evolve.has_first_round and (problem := rounds_problem(self)):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _existing_figures(self) -> Self:
        # A row without the figure passes no filter: a mistyped name would empty the finished set.
        scored = (figure for name in self.scores.names for figure in FIGURES.get(name, ()))
        figures = [*ALWAYS, *(TAUGHT if self.failure.teach else ()), *scored]
        for number, config in enumerate(self.filters):
            figure = getattr(config, "score", None)
            if figure is not None and figure not in figures:
                raise ValueError(
                    f"filters.{number} needs {figure!r}, which scores.names does not make; "
                    f"it must be one of {', '.join(figures)}"
                )
        return self

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return Path(self.output.dir or f"runs/{self.name}")

    @property
    def last_round(self) -> int:
        """The number of the last round that the run makes."""
        return self.evolve.first_round - 1 + self.evolve.rounds

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
        zeros = {"train_size": 0, "dev_size": 0, "heldout_size": 0, "fresh_size": 0}
        if not self.is_search:
            return self.data.model_copy(update=zeros)
        confirms = self.optimizer.name in ("auto_evol", "paper") and self.optimizer.finalists
        # Null asks for as many as there are, so a search that confirms nothing needs a 0.
        fresh = self.data.fresh_size if confirms else self.data.fresh_size or 0
        return self.data.model_copy(update={"fresh_size": fresh})


def _export_problem(config: ExperimentConfig) -> str | None:
    """Return why the exports could not be written after the last paid call; None: they can."""
    formats = config.output.formats or ()
    if formats and not config.evolve.respond:
        return "output.formats needs responses, evolve.respond is false"
    koevols = [name for name in formats if name.startswith("koevol")]
    methods = (method.name for methods in config.evolve.entries for method in methods)
    unknown = next((name for name in methods if name not in KOEVOL_METHODS), None)
    if not koevols or not (unknown or config.is_search):
        return None
    why = f"{unknown!r} has none" if unknown else "a searched method has none"
    return f"output.formats: {koevols[0]} has a digit for each method, {why}"


def rounds_problem(config: ExperimentConfig) -> str | None:
    """Return what is wrong with `output.rounds`; None: nothing."""
    chosen, first, last = config.output.rounds, config.evolve.first_round, config.last_round
    wrong = [] if isinstance(chosen, str) else [n for n in chosen if not first <= n <= last]
    if not wrong:
        return None
    rounds = f"evolve.rounds is {config.evolve.rounds}"
    rounds += f" and evolve.first_round {first}" if first > 1 else ""
    return f"output.rounds names round {wrong[0]}, {rounds}"


def load_config(
    path: Path, overrides: Sequence[str] = (), *, out: Path | None = None, limit: int | None = None
) -> ExperimentConfig:
    """Parse one YAML file.

    Args:
        path: The file.
        overrides: `a.b=c`; the value is read as YAML.
        out: Replaces `output.dir`.
        limit: Caps rows, batch, dev and held-out at N, steps and candidates at 2, and searches
            even if so few rows cannot show an improvement.

    Raises:
        ConfigError: Names the file and the key.
    """
    config = config_of(tree_of(path, overrides), path, out=out)
    return limited(config, limit, out=out) if limit else config


def config_of(tree: dict[str, Any], path: Path, *, out: Path | None = None) -> ExperimentConfig:
    """Return the config that the keys of a file make.

    Raises:
        ConfigError: Names the file and the key.
    """
    if tree.get(MATRIX) is not None:
        raise ConfigError(f"{path}: {MATRIX}", "stands for several runs, here it takes one")
    tree = with_search_rule({key: value for key, value in tree.items() if key != MATRIX})
    output = tree.get("output") or {}
    if out is not None and isinstance(output, dict):
        tree["output"] = {**output, "dir": str(out)}
    return checked(ExperimentConfig, tree, path)


def with_search_rule(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a config's keys, without a search where none is meant.

    Methods that a config names are applied as they are, unless it has a section `optimizer`. A
    config with neither searches from e0; one that only answers rows (`evolve.rounds: 0`) does not.
    """
    evolve = tree.get("evolve")
    if "optimizer" in tree or not isinstance(evolve, dict):
        return tree
    is_plain = evolve.get("methods") or evolve.get("schedule") or evolve.get("rounds") == 0
    return {**tree, "optimizer": {"name": "none"}} if is_plain else tree


def limited(config: ExperimentConfig, n: int, *, out: Path | None) -> ExperimentConfig:
    """Return the config of a small trial with at most `n` rows.

    Args:
        config: Of the whole run.
        n: Rows.
        out: The trial's folder; None: one beside the whole run's.

    Raises:
        ConfigError: A search needs more of them.
    """
    if config.is_search and n < LEAST_ROWS:
        raise ConfigError(f"--limit {n}", f"a search needs at least {LEAST_ROWS} rows")
    output = config.output.model_copy(update={"dir": str(out or limited_folder(config, n))})
    parts = {
        "data": _limited_data(config.data, n),
        "output": output,
        "optimizer": _limited_search(config.optimizer, n),
        "verify": _limited_stages(config.verify) if config.verify else None,
    }
    return config.model_copy(update=parts)


def _limited_stages(stages: VerifyConfig) -> VerifyConfig:
    most = {"proposals": 1, **dict.fromkeys(("kinds", "queries", "responses"), LIMITED_TRIALS)}
    return stages.model_copy(update={key: min(getattr(stages, key), n) for key, n in most.items()})


def _limited_data(data: DataConfig, n: int) -> DataConfig:
    rows = min(data.limit or n, n)
    # A third each for dev and held-out leaves a third for train, as the search needs all three.
    third = max(1, rows // 3)
    dev, heldout = (
        min(USUAL_SIZE if size is None else size, third)
        for size in (data.dev_size, data.heldout_size)
    )
    # A size from the config may be more than the rows that are left. One row is for train, whose
    # size is null in a trial.
    left = max(0, rows - dev - heldout - 1)
    sizes = {
        "limit": rows,
        "train_size": None,
        "dev_size": dev,
        "heldout_size": heldout,
        "fresh_size": None if data.fresh_size is None else min(data.fresh_size, left),
    }
    return data.model_copy(update=sizes)


def _limited_search(search: OptimizerConfig, n: int) -> OptimizerConfig:
    caps = {
        "batch_size": min(search.batch_size, n),
        "steps": min(search.steps, LIMITED_TRIALS),
        "candidates": min(search.candidates, LIMITED_TRIALS),
        "headroom": False,
    }
    return search.model_copy(update=caps)


def limited_folder(config: ExperimentConfig, n: int) -> str:
    """Return the folder of a small trial."""
    # A folder holds the run of one config: in the trial's folder the whole run would be refused.
    folder = config.folder
    return f"{folder if folder.name.strip('.') else folder.resolve()}-limit-{n}"
