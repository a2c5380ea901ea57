"""A study: which data teaches a student more (`autoevol study`)."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.evaluate import EvaluateConfig
from autoevol.experiments.config.section import Section
from autoevol.experiments.config.train import TrainConfig
from autoevol.metrics.selection.contamination import LEAST_WORDS
from autoevol.program.bounds import Count

ArmName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)]
Condition = Literal["rows", "tokens", "all"]


class ArmConfig(Section):
    """The data of one arm: one of `file`, `run`, `config`.

    Attributes:
        file: Rows with answers, in any format.
        run: The folder of a finished run.
        config: A config, whose run the study makes.
        set: Keys of that config, `a.b=c`.
        method: A method file; the config's bulk phase alone is run with it. null: all of its run.
    """

    file: str | None = None
    run: str | None = None
    config: str | None = None
    set: tuple[str, ...] = ()
    method: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.file, self.run, self.config)) != 1:
            raise ValueError("needs one of file, run, config")
        if self.config is None and (self.set or self.method):
            raise ValueError("set and method belong to config")
        return self


class SearchConfig(Section):
    """A final choice among the methods of a finished search, by what their rows teach.

    Attributes:
        run: The folder of the run with the search.
        methods: How many take part: the initial one, and the best of the others.
        rows: Of the run's seeds, evolved and answered by each method; null: all.
    """

    run: str
    methods: Annotated[int, Field(ge=2, le=4)] = 3
    rows: Count | None = None


class StudyConfig(Section):
    """Arms of data, one student, the tasks that decide.

    Attributes:
        name: Of the study.
        output: The study's folder; null: `runs/NAME`.
        search: Makes an arm of each of the best methods of a search, the initial one first; null:
            none.
        arms: By name; the first of all is the one that the others are compared with.
        train: How a student is trained on each arm, with each of `seeds`.
        evaluate: The tasks.
        equalise: What is made equal between arms: their `rows`, the `tokens` that are read, or one
            after the other; `all`: nothing, each arm is used whole, and all are of one size.
        primary: The task that decides, fixed before; null: the first.
        curve: Numbers of rows for a learning curve, besides.
        leaks: What becomes of rows that share words with a question: `stop` is an error, `drop`
            leaves them out.
        leak_words: Consecutive words that a row and a question must share.
    """

    name: ArmName
    output: str | None = None
    search: SearchConfig | None = None
    arms: dict[ArmName, ArmConfig] = Field(default={})
    train: TrainConfig = TrainConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    equalise: Annotated[tuple[Condition, ...], Field(min_length=1)] = ("rows", "tokens")
    primary: str | None = None
    curve: tuple[Count, ...] = ()
    leaks: Literal["stop", "drop"] = "stop"
    leak_words: Annotated[int, Field(ge=LEAST_WORDS, le=100)] = 13

    @model_validator(mode="after")
    def _names_match(self) -> Self:
        if not self.arms and self.search is None:
            raise ValueError("needs arms, or search")
        if self.primary is not None and self.primary not in self.evaluate.tasks:
            raise ValueError(f"primary is {self.primary!r}, which is none of evaluate.tasks")
        if len(set(self.equalise)) < len(self.equalise) or len(set(self.curve)) < len(self.curve):
            raise ValueError("equalise or curve names one twice")
        return self

    @property
    def folder(self) -> Path:
        """The study's folder."""
        return Path(self.output) if self.output else Path("runs") / self.name

    @property
    def decisive(self) -> str:
        """The task that decides."""
        return self.primary or self.evaluate.tasks[0]


def study_config(tree: dict[str, Any], file: Path) -> StudyConfig:
    """Return the study in a tree of keys.

    Raises:
        ConfigError: Names the file and the key.
    """
    return checked(StudyConfig, tree, file)
