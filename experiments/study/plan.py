"""A study's file, checked: tasks, arms, libraries. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autoevol.experiments.artifacts.row_files import EVOLVED, check_rows
from autoevol.experiments.artifacts.summary import SUMMARY, read_summary
from autoevol.experiments.config.loading import tree_of
from autoevol.experiments.config.study import ArmConfig, StudyConfig, study_config
from autoevol.experiments.evaluation.harness import harness_questions
from autoevol.experiments.evaluation.tasks.catalogue import HARNESS, fingerprint, limited_task
from autoevol.experiments.evaluation.tasks.grading import check_tools
from autoevol.experiments.evaluation.tasks.items import Task
from autoevol.experiments.study.choice import method_arms
from autoevol.experiments.study.leaks import ExamTexts, bare_texts, leaks, texts_of, without_leaks
from autoevol.experiments.study.runs import ArmRun, arm_run
from autoevol.experiments.training.examples import ExampleSet, question_examples, read_examples
from autoevol.experiments.training.student import template_of
from autoevol.experiments.training.trainer import check_libraries
from autoevol.program.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """A checked study.

    Attributes:
        config: The study.
        where: Its file.
        tasks: With the questions that are given.
        harness: Names of tasks of lm-evaluation-harness.
        digests: Fingerprints of the whole tasks, by name.
        counts: Questions of each task that are given.
        questions: Texts of each whole task, which no arm may hold.
        runs: Runs that the study makes itself, by arm.
    """

    config: StudyConfig
    where: Path
    tasks: tuple[Task, ...]
    harness: tuple[str, ...]
    digests: Mapping[str, str]
    counts: Mapping[str, int]
    questions: Mapping[str, ExamTexts]
    runs: Mapping[str, ArmRun]

    @property
    def all_tasks(self) -> tuple[Task, ...]:
        """The tasks, those of the harness without their questions."""
        return (*self.tasks, *(Task(name, "answer", ()) for name in self.harness))

    @property
    def baseline(self) -> str:
        """The arm that the others are compared with."""
        return next(iter(self.config.arms))

    def target_of(self, arm: str) -> Path:
        """Return the file or the run's folder with an arm's rows."""
        if arm in self.runs:
            return self.runs[arm].folder
        source = self.config.arms[arm]
        return Path(source.file or source.run or "")


def make_plan(file: Path, overrides: Sequence[str], *, is_dry: bool = False) -> StudyPlan:
    """Check everything that needs no model.

    Args:
        file: The study's.
        overrides: `a.b=c`.
        is_dry: Leave no file behind.

    Raises:
        ConfigError: Names the file and the key.
    """
    own = study_config(tree_of(file, overrides), file)
    _check_tasks(own, file)
    check_libraries(str(file))
    template_of(own.train, str(file))
    with method_arms(own, str(file), keeps=not is_dry) as config:
        return _planned(config, file)


def _planned(config: StudyConfig, file: Path) -> StudyPlan:
    for name, arm in config.arms.items():
        _check_arm(name, arm, file)
    names = [name for name in config.evaluate.tasks if not name.startswith(HARNESS)]
    opened = [limited_task(name, config.evaluate.limit) for name in names]
    harness = [name for name in config.evaluate.tasks if name not in names]
    asked_there = {name: harness_questions(name, config.evaluate) for name in harness}
    runs = {
        name: arm_run(arm, config.folder / "arms" / name / "run", f"{file}: arms.{name}")
        for name, arm in config.arms.items()
        if arm.config is not None
    }
    digests = {task.name: fingerprint(whole) for task, whole in opened}
    digests |= {name: own.digest for name, own in asked_there.items()}
    questions = {whole.name: texts_of(whole) for _, whole in opened}
    questions |= {
        name: ExamTexts(own.prompts, bare_texts([[text] for text in own.fields]))
        for name, own in asked_there.items()
    }
    tasks = tuple(task for task, _ in opened)
    counts = {task.name: len(task.items) for task in tasks}
    counts |= {name: own.count for name, own in asked_there.items()}
    plan = StudyPlan(config, file, tasks, tuple(harness), digests, counts, questions, runs)
    # Before any run of an arm is paid for.
    for name in config.arms:
        if name not in runs or runs[name].finished():
            arm_examples(plan, name)
        elif config.leaks == "stop":
            _check_seeds(plan, name)
    return plan


def _check_seeds(plan: StudyPlan, name: str) -> None:
    """Return if the seeds that an arm's run begins with leak nothing; its rows are looked at later.

    Raises:
        ConfigError: They leak.
    """
    seeds = [
        example for row in plan.runs[name].plan.splits.seeds for example in question_examples(row)
    ]
    leaking = leaks(seeds, plan.questions, plan.config.leak_words)
    without_leaks(name, seeds, leaking, drops=False, where=str(plan.where))


def arm_examples(plan: StudyPlan, name: str) -> ExampleSet:
    """Return the examples of an arm, without rows that share words with a question.

    Raises:
        ConfigError: Its rows cannot be read, none has an answer, or it leaks and may not.
    """
    data, config = read_examples(plan.target_of(name)), plan.config
    leaking = leaks(data.examples, plan.questions, config.leak_words)
    drops = config.leaks == "drop"
    kept = without_leaks(name, data.examples, leaking, drops=drops, where=str(plan.where))
    dropped = {"leaks": len({leak.row for leak in leaking})} if leaking else {}
    return replace(data, examples=kept, left_out={**data.left_out, **dropped})


def _check_tasks(config: StudyConfig, file: Path) -> None:
    where = f"{file}: evaluate.tasks"
    for name in config.evaluate.tasks:
        if name == "alpaca_eval" or name.startswith("open:"):
            raise ConfigError(where, f"{name} has no score of its own; `evaluate` has a judge")
    check_tools(config.evaluate.tasks)
    if config.train.rows or config.train.tokens:
        raise ConfigError(f"{file}: train.rows", "is what equalise and curve say, in a study")


def _check_arm(name: str, arm: ArmConfig, file: Path) -> None:
    where = f"{file}: arms.{name}"
    if arm.file is not None and not Path(arm.file).is_file():
        raise ConfigError(f"{where}.file", f"no such file: {arm.file}")
    if arm.run is None:
        return
    folder = Path(arm.run)
    if not ((folder / EVOLVED).is_file() and (folder / SUMMARY).is_file()):
        raise ConfigError(f"{where}.run", f"{arm.run} is no finished run's folder")
    check_rows(folder, read_summary(folder))
