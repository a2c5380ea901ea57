"""`AutoEvolPromptOptimizer`: our search behind `mlflow.genai.optimize_prompts`.

MLflow hands over the prompts, the rows, and a function that runs rows with other prompts and scores
them. That is all a search needs. MLflow registers what it returns.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dspy
from mlflow.genai.optimize.optimizers import BasePromptOptimizer
from mlflow.genai.optimize.types import EvaluationResultRecord, PromptOptimizerOutput

from autoevol.experiments.tracking.prompts.progress import logging_progress
from autoevol.program.blocks import run_here
from autoevol.program.errors import AutoEvolError, ConfigError
from autoevol.program.listeners import Listeners
from autoevol.program.records import Evaluation, Row
from autoevol.program.search.programs.metric import Judgement, judgement_of
from autoevol.program.search.programs.state import as_text, fields_text, texts_in
from autoevol.program.search.rows import SearchRows
from autoevol.program.search.settings import SearchSettings
from autoevol.program.search.templates.search import TemplateResult, TemplateSearch
from autoevol.program.search.templates.subject import ScoredRow

Record = dict[str, Any]
EvalFunction = Callable[[dict[str, str], list[Record]], list[EvaluationResultRecord]]

_USUAL_DEV = 50
"""Dev rows at most, as in a config that names no size."""

_TOTAL = "score"


class AutoEvolPromptOptimizer(BasePromptOptimizer):
    """Improves prompts of MLflow's registry by the search of AutoEvol.

    Candidates are raced on dev rows, accepted by a paired test, and confirmed on fresh rows. A
    proposal that loses a `{{variable}}` of its prompt is rejected. Where nothing is better, the
    prompts stay as they are.

    Args:
        settings: Of the search; `max_calls` counts a row that is run as one call. None: the
            defaults.
        optimizer_lm: Writes the proposals: a `dspy.LM`, or a name such as `openai/gpt-4o` or
            `openai:/gpt-4o`; None: the model in `dspy.settings`.
        passes: A row fails if its score is below this; in (0, 1]. The score is the mean of the
            scorers, or what `aggregation` returns, and has to be in [0, 1].
        dev_size: Rows on which candidates are compared; None: half of the rows, 50 at most.
        fresh_size: Rows for the confirmation; None: a third of the rest, at most as many as dev
            rows. All other rows are shown to the optimizer model.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(
        self,
        settings: SearchSettings | None = None,
        *,
        optimizer_lm: dspy.BaseLM | str | None = None,
        passes: float = 1.0,
        dev_size: int | None = None,
        fresh_size: int | None = None,
    ) -> None:
        if not 0 < passes <= 1:
            raise ConfigError("AutoEvolPromptOptimizer: passes", f"must be in (0, 1], is {passes}")
        self.settings = settings or SearchSettings()
        self.optimizer_lm, self.passes = optimizer_lm, passes
        self.dev_size, self.fresh_size = dev_size, fresh_size

    def optimize(
        self,
        eval_fn: EvalFunction | None,
        train_data: list[Record],
        target_prompts: dict[str, str],
        enable_tracking: bool = True,
    ) -> PromptOptimizerOutput:
        """Return the best prompts, and their mean scores.

        The scores are those of the fresh rows, where there are any, which confirm the choice and
        so flatter it a little; else of the dev rows, which made it and flatter it more.

        Args:
            eval_fn: Runs rows with some prompts and scores them.
            train_data: Rows with `inputs`, and `outputs` or `expectations`.
            target_prompts: Texts by name.
            enable_tracking: Log each step in the active run of MLflow.

        Raises:
            ConfigError: There are no rows, no scorers or no model.
            StoppedError: Not one dev row could be scored.
        """
        if eval_fn is None:
            raise ConfigError("train_data", "is empty; a search compares prompts on its rows")
        sets = _RecordSets.of(train_data, self)
        lm = _model(self.optimizer_lm)
        with logging_progress(enable_tracking) as listeners:
            search = self._search(eval_fn, sets, lm, listeners)
            result = run_here(search.improve(target_prompts, sets.rows))
        return _output(result)

    def _search(
        self, eval_fn: EvalFunction, sets: "_RecordSets", lm: Any, listeners: Listeners
    ) -> TemplateSearch:
        def run(templates: Mapping[str, str], rows: Sequence[Row]) -> list[ScoredRow]:
            return _scored(eval_fn, dict(templates), [sets.records[row.id] for row in rows])

        return TemplateSearch(
            run=run,
            optimizer=lm,
            settings=self.settings,
            listeners=listeners,
            passes=self.passes,
        )


@dataclass(frozen=True, slots=True)
class _RecordSets:
    """The records of `train_data`, by the id of their row, and the rows of the search."""

    records: Mapping[str, Record]
    rows: SearchRows

    @classmethod
    def of(cls, train_data: Sequence[Record], optimizer: AutoEvolPromptOptimizer) -> "_RecordSets":
        """Return the rows, shuffled by the search's seed; equal inputs are one row."""
        unique = {_inputs(record): record for record in reversed(train_data)}
        records = [*reversed(unique.values())]
        shuffled = random.Random(optimizer.settings.seed).sample(records, len(records))
        dev, fresh = _sizes(len(shuffled), optimizer.dev_size, optimizer.fresh_size)
        cut = {
            "dev": shuffled[:dev],
            "fresh": shuffled[dev : dev + fresh],
            "train": shuffled[dev + fresh :],
        }
        rows = {name: [*map(_row, _ids(name, own), own)] for name, own in cut.items()}
        by_id = {
            row.id: record
            for name, own in cut.items()
            for row, record in zip(rows[name], own, strict=True)
        }
        texts = {name: [[*texts_in(record)] for record in own] for name, own in cut.items()}
        return cls(by_id, SearchRows(rows["train"], rows["dev"], rows["fresh"], texts))


def _sizes(count: int, dev_size: int | None, fresh_size: int | None) -> tuple[int, int]:
    """Return how many rows are dev and fresh rows.

    Raises:
        ConfigError: No row is left to train on, or there is no dev row.
    """
    dev = min(_USUAL_DEV, count // 2) if dev_size is None else dev_size
    fresh = min(dev, (count - dev) // 3) if fresh_size is None else fresh_size
    if dev < 1 or fresh < 0 or dev + fresh >= count:
        raise ConfigError(
            "train_data",
            f"has {count} different inputs; {dev} dev and {fresh} fresh rows leave none to learn "
            "from",
        )
    return dev, fresh


def _ids(name: str, records: Sequence[Record]) -> Iterator[str]:
    return (f"{name}-{number}" for number in range(1, len(records) + 1))


def _row(identity: str, record: Record) -> Row:
    return Row(id=identity, seed_id=identity, instruction=_inputs(record))


def _inputs(record: Record) -> str:
    inputs = record["inputs"]
    return fields_text(inputs, inputs.keys()) if isinstance(inputs, Mapping) else as_text(inputs)


def _model(lm: dspy.BaseLM | str | None) -> Any:
    """Return the model that writes proposals.

    Raises:
        ConfigError: There is none.
    """
    if isinstance(lm, str):
        # MLflow writes `openai:/gpt-4o` where litellm and DSPy write `openai/gpt-4o`.
        return dspy.LM(lm.replace(":/", "/", 1), temperature=1.0)
    if lm is None:
        lm = dspy.settings.lm
    if not isinstance(lm, dspy.BaseLM):
        raise ConfigError(
            "AutoEvolPromptOptimizer: optimizer_lm", "is not set; use optimizer_lm=dspy.LM(...)"
        )
    return lm


def _scored(
    eval_fn: EvalFunction, templates: dict[str, str], records: list[Record]
) -> list[ScoredRow]:
    """Run rows and score them; a row whose scorer raises is unscored."""
    try:
        return [*map(_scored_row, eval_fn(templates, records))]
    except AutoEvolError:
        raise
    # A scorer may raise anything, and MLflow then returns none of the rows.
    except Exception as error:  # noqa: BLE001
        if len(records) > 1:
            rows = [row for record in records for row in _scored(eval_fn, templates, [record])]
            # Each was run before, together with the others.
            return [replace(row, runs=row.runs + 1) for row in rows]
        problem = f"a scorer raised {type(error).__name__}: {error}"
        return [ScoredRow(Judgement(None, problem=problem))]


def _scored_row(result: EvaluationResultRecord) -> ScoredRow:
    if result.score is None:
        raise ConfigError("scorers", "are missing, and nothing else says which prompt is better")
    words = [
        f"{name} {result.individual_scores.get(name, '')}".rstrip()
        + (f": {result.rationales[name]}" if result.rationales.get(name) else "")
        for name in dict.fromkeys([*result.individual_scores, *result.rationales])
    ]
    expected = result.expectations
    return ScoredRow(
        judgement_of((result.score, "; ".join(words))),
        as_text(result.outputs),
        as_text(expected) if expected else "",
        result.individual_scores,
    )


def _output(result: TemplateResult) -> PromptOptimizerOutput:
    initial, final = _means(result.initial), _means(result.best)
    return PromptOptimizerOutput(
        optimized_prompts=dict(result.templates),
        initial_eval_score=initial.pop(_TOTAL, None),
        final_eval_score=final.pop(_TOTAL, None),
        initial_eval_score_per_scorer=initial,
        final_eval_score_per_scorer=final,
    )


def _means(evaluation: Evaluation) -> dict[str, float]:
    """Return the mean of each score over the rows that have it."""
    values: dict[str, list[float]] = {}
    for outcome in evaluation.outcomes:
        for name, score in outcome.row.scores.items():
            values.setdefault(name, []).append(float(score))
    return {name: sum(own) / len(own) for name, own in values.items()}
