"""The scores of a set, one after the other, in one book."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from autoevol.experiments.config.scores import (
    ANSWERED,
    SETTINGS_BY_SCORE,
    SOLVERS,
    ScoreName,
    ScoresConfig,
)
from autoevol.experiments.scores.causal_lm import CausalModel, open_causal
from autoevol.experiments.scores.embedding import Embed, embedder
from autoevol.experiments.scores.files import by_round
from autoevol.experiments.scores.ifd import ifd_scores
from autoevol.experiments.scores.results import ScoreResults
from autoevol.experiments.scores.reward import RewardModel, open_reward, reward_scores
from autoevol.experiments.scores.row_scores import (
    confidence_scores,
    growth_scores,
    keyword_scores,
    quality_scores,
)
from autoevol.experiments.scores.set_scores import (
    Figures,
    Rounds,
    SetScores,
    length_correlation,
    length_scores,
    lexical_scores,
    mean_figures,
    neighbour_scores,
    overlap_scores,
    read_benchmarks,
)
from autoevol.metrics.quality.difficulty import LEVELS, distribution
from autoevol.metrics.quality.tags import alike, complexity, coverage, diversity, frequent, merged
from autoevol.program.draws import draw_number
from autoevol.program.errors import ConfigError
from autoevol.program.listeners import Listeners, Phase
from autoevol.program.records import Outcome, Row
from autoevol.program.roles import Role
from autoevol.program.scoring.ratings import scorer
from autoevol.program.scoring.scorers import Scored, Scorer, score_rows
from autoevol.program.scoring.solving import GAP, STRONG_SOLVER, SolverScorer


@dataclass(frozen=True, slots=True)
class ScoringResources:
    """What scores are made with.

    Attributes:
        embed: Texts to vectors; None where no score needs it.
        benchmarks: Texts by name.
        roles: Models by role, those that the scores ask.
        scorer: The causal language model; None where no score needs it.
        rewarder: The reward model; None where no score needs it.
        in_flight: Questions that are asked side by side, at least 1.
        seed: The run's.
    """

    embed: Embed | None
    benchmarks: dict[str, list[str]]
    roles: Mapping[str, Role] = field(default_factory=dict)
    in_flight: int = 16
    seed: int = 0
    scorer: CausalModel | None = None
    rewarder: RewardModel | None = None

    @property
    def vectors(self) -> Embed:
        """What makes vectors of texts.

        Raises:
            ValueError: It was not opened.
        """
        if self.embed is None:
            raise ValueError("a score needs vectors, and no embedding was opened")
        return self.embed


def open_resources(config: ScoresConfig, where: str) -> ScoringResources:
    """Open what the scores need beside models.

    Raises:
        ConfigError: A benchmark file or a model is not there.
    """
    needs_vectors = {"neighbours", "tags"} & {*config.names}
    embed = embedder(config.embedding, f"{where}: scores.embedding") if needs_vectors else None
    files = config.benchmarks if "overlap" in config.names else []
    beside = Path(where).parent
    given = ScoringResources(
        embed, read_benchmarks(files, f"{where}: scores.benchmarks", beside=beside)
    )
    return _with_models(given, config, where)


def _with_models(given: ScoringResources, config: ScoresConfig, where: str) -> ScoringResources:
    """Return the means with the models that score in this process."""
    most = config.scorer_tokens
    if "ifd" in config.names:
        causal = open_causal(config.scorer, f"{where}: scores.scorer", most=most)
        given = replace(given, scorer=causal)
    if "reward" in config.names and config.reward_model:
        reward = open_reward(config.reward_model, f"{where}: scores.reward_model", most=most)
        given = replace(given, rewarder=reward)
    return given


def check_rows(rounds: Rounds, config: ScoresConfig, where: str) -> None:
    """Check that the rows have what the scores are about.

    Raises:
        ConfigError: A score needs responses, and no row has one.
    """
    needing = [name for name in config.names if name in ANSWERED]
    if needing and not any(row.response.strip() for rows in rounds.values() for row in rows):
        raise ConfigError(where, f"no row has a response, so {needing[0]} has nothing to score")


def settings_of(config: ScoresConfig, models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return by score what its figures went by, so that others can be held against them.

    `judge` is the model that gave them: a judge, solvers, a scorer, an embedding.

    Args:
        config: Names the scores.
        models: Names by role.
    """
    told = config.model_dump(mode="json")
    solvers = ", ".join(models[role] for role in SOLVERS if role in models)
    judges = {**dict.fromkeys(config.judged, models.get("judge")), "solver": solvers}
    judges |= {"ifd": config.scorer, "reward": config.reward_model, "neighbours": config.embedding}
    return {
        name: {
            **{key: told[key] for key in SETTINGS_BY_SCORE.get(name, ())},
            **({"judge": judges[name]} if name in judges else {}),
        }
        for name in config.names
    }


async def score_set(
    rounds: Rounds, config: ScoresConfig, given: ScoringResources, listeners: Listeners
) -> ScoreResults:
    """Return the figures of a set; scores that ask a judge come last."""
    book = ScoreResults(rounds, {number: {"rows": len(rows)} for number, rows in rounds.items()})
    for name in config.names:
        if name in _OF_THE_SET:
            book.add_set(name, _OF_THE_SET[name](rounds, config, given))
    sampled = by_round(_sample(rounds, config.sample, given.seed))
    drawn = {number: sampled.get(number, []) for number in rounds}
    if given.scorer:
        book.add_set("ifd", await ifd_scores(drawn, given.scorer, listeners))
    if given.rewarder:
        book.add_set("reward", await reward_scores(drawn, given.rewarder, listeners))
    for name in config.asking:
        await _asked(name, book, config, given, listeners)
    return book


_OF_THE_SET: dict[ScoreName, Callable[[Rounds, ScoresConfig, ScoringResources], SetScores]] = {
    "length": lambda rounds, _config, _given: length_scores(rounds),
    "lexical": lambda rounds, _config, _given: lexical_scores(rounds),
    "neighbours": lambda rounds, _config, given: neighbour_scores(rounds, given.vectors),
    "overlap": lambda rounds, config, given: overlap_scores(
        rounds, given.benchmarks, sizes=config.runs, alike=config.alike
    ),
    "confidence": lambda rounds, _config, _given: confidence_scores(rounds),
    "growth": lambda rounds, _config, _given: growth_scores(rounds),
    "quality": lambda rounds, _config, _given: quality_scores(rounds),
    "keywords": lambda rounds, _config, _given: keyword_scores(rounds),
}
"""The scores that ask no model."""


async def _asked(
    name: ScoreName,
    book: ScoreResults,
    config: ScoresConfig,
    given: ScoringResources,
    listeners: Listeners,
) -> None:
    rows = _sample(book.rounds, config.sample, given.seed)
    asked = _scorer(name, config, given.roles)
    listeners.on_phase(Phase(f"score: {name}", len(rows)))
    by_id = {row.id: row for row in rows}

    def on_scored(scored: Scored) -> None:
        book.on_scored(name, scored)
        row = by_id[scored.id]
        listeners.on_row(Outcome(row, row, "failed" if scored.problem else "kept"))

    await score_rows(asked, rows, on_scored, in_flight=given.in_flight)
    _conclude(name, book, config, given)


def _scorer(name: ScoreName, config: ScoresConfig, roles: Mapping[str, Role]) -> Scorer:
    if name != "solver":
        return scorer(name, roles["judge"])
    strong = roles.get("strong_solver")
    return SolverScorer(roles["solver"], strong, config.samples, config.check)


def _conclude(
    name: ScoreName, book: ScoreResults, config: ScoresConfig, given: ScoringResources
) -> None:
    if name == "tags":
        _tag_figures(book, config, given)
        return
    book.summarise(name)
    if name == "solver":
        _solver_figures(book)
    more = _MORE.get(name)
    for number, rows in book.asked(name).items():
        if more:
            numbers = [book.number(row, name) for row in rows]
            book.figures[number][name] |= more(rows, numbers)


def _levels(_: Sequence[Row], numbers: Sequence[float | None]) -> Figures:
    levels = distribution(None if n is None else LEVELS[int(n) - 1] for n in numbers)
    return {"levels": dict(levels.counts)}


def _length_bias(rows: Sequence[Row], numbers: Sequence[float | None]) -> Figures:
    return {"length_correlation": length_correlation(rows, numbers)}


_MORE: dict[ScoreName, Callable[[Sequence[Row], Sequence[float | None]], Figures]] = {
    "difficulty": _levels,
    "grade": _length_bias,
}
"""What there is to say of a judge's figures beside their mean."""


def _solver_figures(book: ScoreResults) -> None:
    """Add the strong solver's rates and the gap, where there is one."""
    for number, rows in book.asked("solver").items():
        for figure in (STRONG_SOLVER, GAP):
            found = mean_figures([book.number(row, "solver", figure) for row in rows])
            if found:
                book.figures[number]["solver"][figure] = found


def _tag_figures(book: ScoreResults, config: ScoresConfig, given: ScoringResources) -> None:
    """Merge the tags of all rounds alike, and count them round by round."""
    asked = book.asked("tags")
    rows = [row for members in asked.values() for row in members]
    merge = partial(alike, least=config.tag_similarity)
    tags = [book.tags(row, "tags") for row in rows]
    if given.embed:
        tags = merged(tags, merge(given.embed))
    tags = frequent(tags, least=config.tag_rows)
    by_id = {row.id: found for row, found in zip(rows, tags, strict=True)}
    for number, members in asked.items():
        found = [by_id[row.id] for row in members]
        book.figures.setdefault(number, {})["tags"] = {
            "complexity": complexity(found),
            "diversity": diversity(found),
            "coverage": coverage(found, tags),
            "unscored": sum(each is None for each in found),
        }


def _sample(rounds: Rounds, size: int | None, seed: int) -> list[Row]:
    """Return the rows of so many drawn seeds, the same seeds in every round.

    A row of a new lineage is drawn with the same chance as a seed.
    """
    rows = [row for members in rounds.values() for row in members]
    first = {row.seed_id: row for row in next(iter(rounds.values()), [])}
    if size is None or len(first) <= size:
        return rows

    def drawn(row: Row) -> int:
        return draw_number("score", seed, row.seed_id)

    limit = sorted(map(drawn, first.values()))[size - 1]
    return [row for row in rows if drawn(row) <= limit]


def asking(
    given: ScoringResources, roles: Mapping[str, Role], *, in_flight: int, seed: int
) -> ScoringResources:
    """Return the means with models to ask."""
    return replace(given, roles=roles, in_flight=in_flight, seed=seed)
