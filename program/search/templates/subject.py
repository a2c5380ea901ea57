"""Prompt templates as the subject of a search: a function fills them in, runs rows, and scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autoevol.metrics import Reason
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Evaluation, Outcome, Row, Status, Trajectory
from autoevol.program.roles import Role
from autoevol.program.search.operators import Operator
from autoevol.program.search.programs.metric import Judgement, is_below
from autoevol.program.search.proposer import Proposer
from autoevol.program.search.settings import OperatorName, SearchSettings
from autoevol.program.search.templates.operators import (
    TEMPLATE_NEED_CASES,
    TEMPLATE_OPERATORS,
    template_prompts,
)
from autoevol.program.search.templates.texts import TemplateTexts
from autoevol.signatures import Method


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """What a row came to under some templates.

    Attributes:
        judgement: The score in [0, 1] with the words of those who scored; without a score the
            problem.
        output: What the program returned, as text.
        expected: What it should have returned, as text; "": that is not known.
        scores: The parts of the score, by name.
        runs: How often the row was run for it.
    """

    judgement: Judgement
    output: str = ""
    expected: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    runs: int = 1


RunRows = Callable[[Mapping[str, str], Sequence[Row]], Sequence[ScoredRow]]
"""Runs rows with templates by name, and returns what each came to, in order."""


@dataclass(frozen=True, slots=True)
class TemplateBench:
    """What measurements of templates need.

    Attributes:
        run: Runs rows. It is called by one caller at a time.
        passes: A row fails if its score is below this; in (0, 1].
        calls: All calls so far; a row that is run counts as one.
        listeners: Get the phases and the rows.
    """

    run: RunRows
    passes: float
    calls: list[str]
    listeners: Listeners


class TemplateSubject:
    """Templates of prompts; their method has a part for each text.

    Args:
        texts: The templates.
        bench: What measurements need.
        optimizer: Writes proposals.
        settings: The search's hyper-parameters.
    """

    operators: Mapping[OperatorName, Operator] = TEMPLATE_OPERATORS
    need_cases: frozenset[OperatorName] = TEMPLATE_NEED_CASES

    def __init__(
        self, texts: TemplateTexts, bench: TemplateBench, optimizer: Role, settings: SearchSettings
    ) -> None:
        self.method: Method = texts.method
        self.proposer = Proposer(optimizer, settings, template_prompts())
        self.row_calls = self.case_calls = 1
        # Whoever runs the rows does it in parallel, but fills in one set of templates at a time.
        self.is_parallel = False
        self._texts, self._bench = texts, bench
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    async def measure(
        self, method: Method, rows: Sequence[Row], *, phase: str | None
    ) -> Evaluation:
        """Return the verdict on each row."""
        listeners = self._bench.listeners
        if phase is not None:
            listeners.on_phase(Phase(phase, len(rows)))
        scored = self._run(method, rows)
        outcomes = [self._outcome(row, result) for row, result in zip(rows, scored, strict=True)]
        for outcome in outcomes:
            self._outcomes[method.id, outcome.source.id] = outcome
            listeners.on_row(outcome)
        return Evaluation(method, tuple(outcomes))

    async def cases(self, method: Method, rows: Sequence[Row], *, phase: str) -> list[Trajectory]:
        """Return the runs on a mini-batch, each with its verdict."""
        self._bench.listeners.on_phase(Phase(phase, len(rows)))
        pairs = zip(rows, self._run(method, rows), strict=True)
        return [self._case(row, result) for row, result in pairs if _is_scored(result)]

    def measured(self, method: Method, rows: Sequence[Row]) -> Evaluation | None:
        """Return what was measured of a method on these rows; None: not all were run."""
        outcomes = [self._outcomes.get((method.id, row.id)) for row in rows]
        known_rows = tuple(outcome for outcome in outcomes if outcome)
        return Evaluation(method, known_rows) if len(known_rows) == len(rows) else None

    def _run(self, method: Method, rows: Sequence[Row]) -> Sequence[ScoredRow]:
        scored = self._bench.run(self._texts.filled(method), rows)
        for row, result in zip(rows, scored, strict=True):
            self._bench.calls.extend([row.id] * result.runs)
        return scored

    def _status(self, result: ScoredRow) -> Status:
        if result.judgement.score is None:
            return "unscored"
        return "failed" if is_below(result.judgement.score, self._bench.passes) else "kept"

    def _outcome(self, row: Row, result: ScoredRow) -> Outcome:
        judgement, status = result.judgement, self._status(result)
        score = judgement.score
        scores = {} if score is None else {**result.scores, "score": score}
        # No instruction: the measures that break ties compare rewrites, and a prompt writes none.
        answer = Row(
            f"{row.id}.1", row.seed_id, "", parent_id=row.id, response=result.output, scores=scores
        )
        words = judgement.problem or judgement.feedback or f"score {judgement.score}"
        reasons = () if status == "kept" else (Reason("metric", words),)
        return Outcome(row, answer, status, reasons=reasons, raw=result.output)

    def _case(self, row: Row, result: ScoredRow) -> Trajectory:
        has_passed = self._status(result) == "kept"
        judgement = result.judgement
        feedback = f": {judgement.feedback}" if judgement.feedback else ""
        stages = {"input": row.instruction, "output": result.output}
        if result.expected:
            stages["expected"] = result.expected
        word = "passed" if has_passed else "failed"
        stages["verdict"] = f"{word}, score {judgement.score:g}{feedback}"
        # No text has demonstrations; that some pair is there says that the case has passed.
        pairs = (None,) * len(self.method.parts) if has_passed else ()
        return Trajectory(
            row.id, tuple(stages.values()), labels=tuple(stages), demonstrations=pairs
        )


def _is_scored(result: ScoredRow) -> bool:
    return result.judgement.score is not None
