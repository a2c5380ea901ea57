"""What `autoevol score` can score: a run's folder, or a file of any format."""

import difflib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from experiments.config import load_config
from experiments.formats.source import open_source
from experiments.models.endpoints import ModelSettings, check
from experiments.plan import make_plan
from experiments.score_files import EVOLVED, by_round, numbered, rounds_of, row_from
from experiments.scores_config import FREE, ScoreName, ScoresConfig
from experiments.set_scores import Rounds
from program.errors import ConfigError

MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Request:
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
        judge: None where no score asks it.
        folder: Takes what is found out, and the ledger.
        where: The config's file, or the file of rows, for messages.
        is_run: The folder is a run's: its rows get their figures, its MLflow run the scores.
    """

    rounds: Rounds
    scores: ScoresConfig
    judge: ModelSettings | None
    folder: Path
    where: str
    seed: int
    is_run: bool


def request_of(
    target: Path, names: str | None, overrides: tuple[str, ...], judge: str | None, out: Path | None
) -> Request:
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
    return Request(target, tuple(name for name in known if name in given), overrides, judge, out)


def find_target(request: Request) -> Target:
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


def _of_run(request: Request) -> Target:
    where = request.target / "config.yaml"
    judge = [f"models.judge.model={request.judge}"] if request.judge else []
    config = load_config(where, [*_named(request.names), *judge, *request.overrides])
    if not config.scores.names:
        config = load_config(where, [*_named(FREE), *judge, *request.overrides])
    plan = make_plan(config, str(where))
    judged = plan.models["judge"] if config.scores.judged else None
    return Target(
        rounds_of(plan.splits.seeds, request.target),
        config.scores,
        judged,
        request.target,
        str(where),
        config.seed,
        is_run=True,
    )


def _named(names: Iterable[str]) -> list[str]:
    given = ", ".join(names)
    return [f"scores.names=[{given}]"] if given else []


def _of_file(request: Request) -> Target:
    where, names = str(request.target), request.names or FREE
    scores = _scores_from([*_named(names), *request.overrides])
    if scores.judged and not request.judge:
        raise ConfigError(f"--scores {scores.judged[0]}", "asks a judge; name one with --judge")
    judge = None
    if scores.judged and request.judge:
        judge = ModelSettings(
            model=request.judge, role="judge", temperature=0.0, max_tokens=MAX_TOKENS
        )
        check(judge, "--judge")
    folder = request.out or Path("runs") / f"score-{request.target.stem}"
    rows = [row_from(row) for row in numbered(open_source(request.target, None).rows)]
    if not rows:
        raise ConfigError(where, "holds no rows")
    return Target(by_round(rows), scores, judge, folder, where, 0, is_run=False)


def _scores_from(overrides: list[str]) -> ScoresConfig:
    """Return the scores that overrides alone make, checked as those of a config are."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scores"
        file.write_text("{name: scores, models: {evolver: {model: none}}, data: {path: none}}")
        return load_config(file, overrides).scores
