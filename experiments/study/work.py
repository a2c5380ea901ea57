"""Trainings and evaluations of a study; what is finished is not done again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autoevol.experiments.artifacts.folder import alone_in
from autoevol.experiments.evaluation.report import Report, make_report
from autoevol.experiments.evaluation.request import EvaluatePlan, check_folder
from autoevol.experiments.evaluation.results import read_results
from autoevol.experiments.evaluation.tasks.items import ItemResult
from autoevol.experiments.pretrained.weights import weights_digest
from autoevol.experiments.study.cells import ArmData, Cell, cells_of
from autoevol.experiments.study.plan import StudyPlan, arm_examples
from autoevol.experiments.terminal.progress import ProgressBar
from autoevol.experiments.training import plan as training
from autoevol.experiments.training.student import Student, open_student, readable
from autoevol.experiments.training.trainer import MODEL, TrainingResult
from autoevol.experiments.training.trainings import check_precision, run_trainings
from autoevol.program.listeners import Phase

Results = Mapping[str, Mapping[str, ItemResult]]
"""By task and by the question's id."""


@dataclass(frozen=True, slots=True)
class TrainedCell:
    """A part of an arm with what its students can do.

    Attributes:
        cell: The part.
        plan: Of its trainings.
        trainings: One for each seed.
        reports: Of the evaluations, in the order of the seeds.
    """

    cell: Cell
    plan: training.TrainPlan
    trainings: tuple[TrainingResult, ...]
    reports: tuple[Report, ...]

    @property
    def results(self) -> list[Results]:
        """The results of each seed."""
        return [results_of(report) for report in self.reports]


@dataclass(frozen=True, slots=True)
class StudyResults:
    """What a study came to.

    Attributes:
        plan: The study.
        arms: The examples of each arm.
        student: The evaluation of the student before any training.
        cells: In their order.
    """

    plan: StudyPlan
    arms: Mapping[str, ArmData]
    student: Report
    cells: tuple[TrainedCell, ...]


@dataclass
class Work:
    """A study at work.

    Attributes:
        plan: The study.
        bar: Shows the progress.
        say: Prints a line.
        on_cell: Called with what is finished, after each part.
    """

    plan: StudyPlan
    bar: ProgressBar
    say: Callable[[str], None]
    on_cell: Callable[[StudyResults], None] = lambda results: None
    _finished: list[TrainedCell] = field(default_factory=list)

    def run(self) -> StudyResults:
        """Train and evaluate what is missing; the arms' rows are there.

        Raises:
            ConfigError: An arm leaks or has no rows, or the student cannot be used.
        """
        config = self.plan.config
        self.bar.on_phase(Phase("load the student", 0))
        student = open_student(config.train, str(self.plan.where))
        arms = {name: self._arm(name, student) for name in config.arms}
        if len({arm.responders for arm in arms.values()}) > 1:
            by_arm = "; ".join(f"{name} {shown_models(arm)}" for name, arm in arms.items())
            self.say(f"the arms differ in who answered, too: {by_arm}")
        cells = cells_of(config, arms)
        with alone_in(config.folder):
            before = self._evaluated(config.train.model, config.folder / "student")
            for cell in cells:
                self._finished.append(self._trained(cell))
                self.on_cell(StudyResults(self.plan, arms, before, tuple(self._finished)))
        return StudyResults(self.plan, arms, before, tuple(self._finished))

    def _arm(self, name: str, student: Student) -> ArmData:
        data = arm_examples(self.plan, name)
        chosen = readable(student, data.examples, str(self.plan.where))
        no_room = {"without room in max_length": chosen.no_room} if chosen.no_room else {}
        return ArmData(chosen, {**data.left_out, **no_room}, data.responders)

    def _trained(self, cell: Cell) -> TrainedCell:
        self.say(f"{cell.name}: {cell.rows:,} rows, {cell.tokens:,} tokens")
        plan = self._training(cell)
        training.check_folder(plan)
        trainings = run_trainings(plan, self.bar)
        earlier = [result for cell in self._finished for result in cell.trainings]
        precisions = [result.is_bf16 for result in (*earlier, *trainings)]
        check_precision(precisions, self.plan.config.folder)
        reports = [
            self._evaluated(str(plan.folder_of(seed) / MODEL), plan.folder_of(seed) / "evaluation")
            for seed in self.plan.config.train.seeds
        ]
        return TrainedCell(cell, plan, tuple(trainings), tuple(reports))

    def _training(self, cell: Cell) -> training.TrainPlan:
        target = self.plan.target_of(cell.arm)
        return training.TrainPlan(
            config=self.plan.config.train,
            where=str(self.plan.where),
            target=target,
            folder=cell.folder,
            data=cell.data,
            examples=cell.data.examples,
            parent=training.run_of(target),
        )

    def _evaluated(self, model: str, folder: Path) -> Report:
        config = self.plan.config
        template = config.evaluate.chat_template or config.train.chat_template
        plan = EvaluatePlan(
            config=config.evaluate.model_copy(update={"chat_template": template}),
            model=model,
            kind="weights",
            folder=folder,
            tasks=self.plan.tasks,
            digests=dict(self.plan.digests),
            harness=self.plan.harness,
            baseline=None,
            judge=None,
            weights=weights_digest(model),
        )
        check_folder(plan)
        return make_report(plan, self.bar, self.say)


def shown_models(arm: ArmData) -> str:
    """Return the names of the models that wrote an arm's answers."""
    return ", ".join(sorted(arm.responders)) or "unknown"


def results_of(report: Report) -> Results:
    """Return the results of the questions that were given."""
    plan = report.plan
    wanted = {task.name: {item.id for item in task.items} for task in plan.tasks}
    held = {name: read_results(plan.file_of(name)) for name in (*wanted, *plan.harness)}
    # A file may hold more, of an earlier command; the harness's file has its limit in its name.
    wanted |= {name: {*held[name]} for name in plan.harness}
    return {
        name: {key: result for key, result in held[name].items() if key in wanted[name]}
        for name in wanted
    }
