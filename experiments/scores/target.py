"""The set that `autoevol score` scores, a run's folder or a file of any format, checked."""

import difflib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from autoevol.experiments.artifacts.resume import stored_config
from autoevol.experiments.artifacts.row_files import EVOLVED, check_rows
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.config.experiment import ExperimentConfig, load_config
from autoevol.experiments.config.models import ModelConfig, check_solvers, model_settings
from autoevol.experiments.config.scoring.scores import (
    FREE,
    SCORING,
    SOLVER_NEED,
    SOLVERS,
    ScoreName,
    ScoresConfig,
)
from autoevol.experiments.data.formats.rows import row_from
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.data.lineage import changed_seed
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.models.checks import check
from autoevol.experiments.models.settings import ModelSettings
from autoevol.experiments.scores.files import evolved_rows, seeds_beside
from autoevol.experiments.scores.results import Rounds, by_round
from autoevol.program.adapter import AdapterName
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_NO_MODEL = "none"
"""In the place of a file's models, which a config must have and a file has not."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """The arguments of `autoevol score`.

    Attributes:
        target: A run's folder or a file.
        names: Empty: those of the run's config, or else those that ask no model.
        overrides: `a.b=c`, over the run's config; for a file only `scores.…` has an effect.
        judge: A litellm name instead of the config's judge; None: the config's.
        out: For a file: the folder of its scores; None: `runs/score-NAME`.
    """

    target: Path
    names: tuple[ScoreName, ...] = ()
    overrides: tuple[str, ...] = ()
    judge: str | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Rows to score, and the scores to compute.

    Attributes:
        models: By role, those that the scores ask.
        folder: Takes the scores and the ledger.
        where: The config's file, or the file of rows, for messages.
        adapters: By role, of the models' predictors.
        is_run: The folder is a run's: its rows get their figures, its MLflow run the scores.
        notes: Remarks on the rows for the user.
    """

    rounds: Rounds
    scores: ScoresConfig
    models: Mapping[str, ModelSettings]
    folder: Path
    where: str
    seed: int = 0
    adapters: Mapping[str, AdapterName | None] = field(default_factory=dict)
    is_run: bool = False
    notes: tuple[str, ...] = ()


def request_of(
    target: Path, names: str | None, overrides: tuple[str, ...], judge: str | None, out: Path | None
) -> ScoreRequest:
    """Return a request; `names` are separated by commas.

    Raises:
        ConfigError: A name is not that of a score.
    """
    scores = get_args(ScoreName)
    chosen = [name.strip() for name in (names or "").split(",") if name.strip()]
    for name in chosen:
        if name not in scores:
            close = difflib.get_close_matches(name, scores, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"must be one of {', '.join(scores)}"
            raise ConfigError(f"--scores {name}", f"unknown score; {hint}")
    return ScoreRequest(
        target, tuple(name for name in scores if name in chosen), overrides, judge, out
    )


def find_target(request: ScoreRequest) -> Target:
    """Return the rows and scores of a request, checked.

    Raises:
        ConfigError: The target is neither a run nor a file of rows, or the config or a model is
            wrong.
    """
    if (request.target / EVOLVED).is_file():
        return _run_target(request)
    if request.target.is_dir():
        raise ConfigError(str(request.target), f"is no finished run's folder: no {EVOLVED}")
    if not request.target.is_file():
        raise ConfigError(str(request.target), "there is no such folder or file")
    return _file_target(request)


def _run_target(request: ScoreRequest) -> Target:
    where = request.target / "config.yaml"
    # The run's filters are dropped: one that needs a score which is not named here would make the
    # config invalid, and scoring filters nothing.
    overrides = [*_judge_override(request.judge), "filters=[]", *request.overrides]
    config = stored_config(request.target, [*_names_override(request.names), *overrides])
    # The free scores stand in only where neither the command nor the run's config names any.
    if not config.scores.names:
        config = stored_config(request.target, [*_names_override(FREE), *overrides])
    _check_judge(request, config)
    models = _models(config, str(where))
    rows = evolved_rows(request.target)
    seeds, notes = _seeds(config, str(where), rows)
    if (request.target / SUMMARY).is_file():
        check_rows(request.target, _summary(request.target))
    else:
        notes = (*notes, "the run is not finished; the rows that it has so far are scored")
    return Target(
        by_round([*seeds_beside(seeds, rows), *rows]),
        config.scores,
        {role: model_settings(role, model) for role, model in models.items()},
        request.target,
        str(where),
        config.seed,
        {role: model.adapter for role, model in models.items()},
        is_run=True,
        notes=notes,
    )


def _summary(folder: Path) -> dict[str, Any]:
    """Return a run's summary; a damaged one is empty, and reported with the report."""
    try:
        return read_object(folder / SUMMARY)
    except ConfigError:
        return {}


def _file_target(request: ScoreRequest) -> Target:
    where, names = str(request.target), request.names or FREE
    overrides = [*_names_override(names), *_judge_override(request.judge), *request.overrides]
    config = _config_from(overrides, where)
    _check_judge(request, config)
    if config.scores.judged and config.models.judge.model == _NO_MODEL:
        first = config.scores.judged[0]
        raise ConfigError(f"--scores {first}", "asks a judge; name one with --judge")
    models = _models(config, where)
    folder = request.out or Path("runs") / f"score-{request.target.stem}"
    rows = [row_from(row) for row in open_source(request.target, None).rows]
    if not rows:
        raise ConfigError(where, "holds no rows")
    settings = {role: model_settings(role, model) for role, model in models.items()}
    return Target(by_round(rows), config.scores, settings, folder, where)


def _models(config: ExperimentConfig, where: str) -> dict[str, ModelConfig]:
    """Return the models that the scores ask, by role, checked."""
    if "solver" in config.scores.names:
        check_solvers(config.models, where, need=SOLVER_NEED)
    needed = {*(["judge"] if config.scores.judged else [])}
    needed |= {*(SOLVERS if "solver" in config.scores.names else ())}
    configured = {role: getattr(config.models, role) for role in SCORING if role in needed}
    models = {role: model for role, model in configured.items() if model}
    for role, model in models.items():
        check(model_settings(role, model), f"{where}: models.{role}")
    return models


def _check_judge(request: ScoreRequest, config: ExperimentConfig) -> None:
    """Refuse a judge that no score asks.

    Raises:
        ConfigError: Names the option.
    """
    if request.judge is not None and not config.scores.judged:
        raise ConfigError("--judge", "has no effect, since no score asks a judge; leave it out")


def _judge_override(model: str | None) -> list[str]:
    """Return the override that replaces the config's judge as a whole."""
    if model is None:
        return []
    # `models.judge.model=…` would leave the old judge's endpoint and key to the new one.
    return [f"models.judge={json.dumps({'model': model, 'temperature': 0.0})}"]


def _names_override(names: Iterable[str]) -> list[str]:
    text = ", ".join(names)
    return [f"scores.names=[{text}]"] if text else []


def _seeds(
    config: ExperimentConfig, where: str, rows: Sequence[Row]
) -> tuple[Sequence[Row], tuple[str, ...]]:
    """Return the run's seeds; none, with a note, where they have moved or changed."""
    try:
        seeds = load_seeds(config, where)
    except ConfigError as error:
        return [], (f"without the seeds: {error}",)
    changed = changed_seed(seeds, ((row.seed_id, row.origin) for row in rows))
    if changed is not None:
        return [], (f"without the seeds: {changed} has changed since the run",)
    return seeds, ()


def _config_from(overrides: list[str], where: str) -> ExperimentConfig:
    """Return the scores and models that overrides alone describe, checked as in a config.

    Raises:
        ConfigError: Names `where` instead of a config's file.
    """
    # A config is checked as a file, so a file with the required keys is written.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scores"
        models = f"{{evolver: {{model: {_NO_MODEL}}}}}"
        file.write_text(f"{{name: scores, models: {models}, data: {{path: none}}}}")
        try:
            return load_config(file, overrides)
        except ConfigError as error:
            raise ConfigError(error.where.replace(str(file), where), error.problem) from error
