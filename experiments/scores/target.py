"""What `autoevol score` can score: a run's folder, or a file of any format."""

import difflib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from autoevol.experiments.config.experiment import ExperimentConfig, check_solvers, load_config
from autoevol.experiments.config.models import ModelConfig, model_settings
from autoevol.experiments.config.scores import FREE, SCORING, SOLVERS, ScoreName, ScoresConfig
from autoevol.experiments.data.formats.source import open_source
from autoevol.experiments.data.seeds import load_seeds
from autoevol.experiments.models.settings import ModelSettings, check
from autoevol.experiments.scores.files import (
    EVOLVED,
    by_round,
    evolved_rows,
    row_from,
    seeds_beside,
)
from autoevol.experiments.scores.set_scores import Rounds
from autoevol.program.adapter import AdapterName
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_NOBODY = "none"
"""Stands for the models of a file, which has none."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What a user asked for.

    Attributes:
        target: A run's folder or a file.
        names: Empty: those of the run's config, or else those that ask no model.
        overrides: `a.b=c`, over the run's config; of a file only `scores.…` says anything.
        judge: A litellm name in the place of the config's judge; None: that one.
        out: For a file: the folder of what is found out; None: `runs/score-NAME`.
    """

    target: Path
    names: tuple[ScoreName, ...] = ()
    overrides: tuple[str, ...] = ()
    judge: str | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Rows to score, and with what.

    Attributes:
        models: By role, those that the scores ask.
        adapters: By role, of the models' predictors.
        folder: Takes what is found out, and the ledger.
        where: The config's file, or the file of rows, for messages.
        is_run: The folder is a run's: its rows get their figures, its MLflow run the scores.
        notes: What a user should know of the rows.
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
        ConfigError: There is no such score.
    """
    known = get_args(ScoreName)
    given = [name.strip() for name in (names or "").split(",") if name.strip()]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
            raise ConfigError(f"--scores {name}", f"unknown score; {hint}")
    return ScoreRequest(
        target, tuple(name for name in known if name in given), overrides, judge, out
    )


def find_target(request: ScoreRequest) -> Target:
    """Return what is to be scored, checked.

    Raises:
        ConfigError: It is neither a run nor a file of rows, or the config or a model is wrong.
    """
    if (request.target / EVOLVED).is_file():
        return _of_run(request)
    if request.target.is_dir():
        raise ConfigError(str(request.target), f"is no finished run's folder: no {EVOLVED}")
    if not request.target.is_file():
        raise ConfigError(str(request.target), "there is no such folder or file")
    return _of_file(request)


def _of_run(request: ScoreRequest) -> Target:
    where = request.target / "config.yaml"
    given = [*_judged_by(request.judge), "filters=[]", *request.overrides]
    config = load_config(where, [*_named(request.names), *given])
    if not config.scores.names:
        config = load_config(where, [*_named(FREE), *given])
    _check_judge(request, config)
    asked = _asked(config, str(where))
    rows = evolved_rows(request.target)
    seeds, notes = _seeds(config, str(where), rows)
    if not (request.target / "summary.json").is_file():
        notes = (*notes, "the run is not finished; what is there is scored")
    return Target(
        by_round([*seeds_beside(seeds, rows), *rows]),
        config.scores,
        {role: model_settings(role, model) for role, model in asked.items()},
        request.target,
        str(where),
        config.seed,
        {role: model.adapter for role, model in asked.items()},
        is_run=True,
        notes=notes,
    )


def _asked(config: ExperimentConfig, where: str) -> dict[str, ModelConfig]:
    """Return the models that the scores ask, by role, checked."""
    check_solvers(config, where)
    given = {role: getattr(config.models, role) for role in SCORING}
    needed = {*(["judge"] if config.scores.judged else [])}
    needed |= {*(SOLVERS if "solver" in config.scores.names else ())}
    found = {role: model for role, model in given.items() if model and role in needed}
    for role, model in found.items():
        check(model_settings(role, model), f"{where}: models.{role}")
    return found


def _check_judge(request: ScoreRequest, config: ExperimentConfig) -> None:
    """Refuse a judge that no score asks.

    Raises:
        ConfigError: Names the option.
    """
    if request.judge is not None and not config.scores.judged:
        raise ConfigError("--judge", "says nothing: no score asks a judge")


def _judged_by(model: str | None) -> list[str]:
    """Return the override that puts another judge in the whole place of the config's."""
    if model is None:
        return []
    return [f"models.judge={json.dumps({'model': model, 'temperature': 0.0})}"]


def _seeds(
    config: ExperimentConfig, where: str, rows: Sequence[Row]
) -> tuple[list[Row], tuple[str, ...]]:
    """Return the run's seeds; none, with a note, where they are not there as they were."""
    try:
        seeds = load_seeds(config, where)
    except ConfigError as error:
        return [], (f"without the seeds: {error}",)
    texts = {seed.id: seed.origin for seed in seeds}
    changed = [row.seed_id for row in rows if texts.get(row.seed_id, row.origin) != row.origin]
    if changed:
        return [], (f"without the seeds: {changed[0]} is another than when the run was made",)
    return seeds, ()


def _named(names: Iterable[str]) -> list[str]:
    given = ", ".join(names)
    return [f"scores.names=[{given}]"] if given else []


def _of_file(request: ScoreRequest) -> Target:
    where, names = str(request.target), request.names or FREE
    given = [*_named(names), *_judged_by(request.judge), *request.overrides]
    config = _config_from(given, where)
    _check_judge(request, config)
    if config.scores.judged and config.models.judge.model == _NOBODY:
        first = config.scores.judged[0]
        raise ConfigError(f"--scores {first}", "asks a judge; name one with --judge")
    asked = _asked(config, where)
    folder = request.out or Path("runs") / f"score-{request.target.stem}"
    rows = [row_from(row) for row in open_source(request.target, None).rows]
    if not rows:
        raise ConfigError(where, "holds no rows")
    models = {role: model_settings(role, model) for role, model in asked.items()}
    return Target(by_round(rows), config.scores, models, folder, where)


def _config_from(overrides: list[str], where: str) -> ExperimentConfig:
    """Return what overrides alone say of scores and models, checked as a config is.

    Raises:
        ConfigError: Names `where` in the place of a config's file.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scores"
        models = f"{{evolver: {{model: {_NOBODY}}}}}"
        file.write_text(f"{{name: scores, models: {models}, data: {{path: none}}}}")
        try:
            return load_config(file, overrides)
        except ConfigError as error:
            raise ConfigError(error.where.replace(str(file), where), error.problem) from error
