"""All scores of a set: what they need, and every one of them in order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autoevol.experiments.config.scoring.scores import (
    ANSWERED,
    SETTINGS_BY_SCORE,
    SOLVERS,
    ScoreName,
    ScoresConfig,
)
from autoevol.experiments.scores.causal_lm import CausalModel, open_causal
from autoevol.experiments.scores.embedding import Embed, embedder
from autoevol.experiments.scores.files import read_benchmarks
from autoevol.experiments.scores.ifd import ifd_scores
from autoevol.experiments.scores.results import (
    Figures,
    Rounds,
    ScoreResults,
    SetScores,
    by_round,
    length_correlation,
    mean_figures,
)
from autoevol.experiments.scores.reward import RewardModel, open_reward, reward_scores
from autoevol.experiments.scores.row_scores import (
    confidence_scores,
    growth_scores,
    keyword_scores,
    quality_scores,
)
from autoevol.experiments.scores.set_scores import (
    length_scores,
    lexical_scores,
    neighbour_scores,
    overlap_scores,
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
    """The models and texts that the scores of a config need.

    Attributes:
        embed: Texts to vectors; None where no score needs it.
        benchmarks: Texts by name.
        roles: By role, the models that scores ask through the engine.
        in_flight: Questions that are asked side by side, at least 1.
        seed: The run's.
        causal_lm: The model of `ifd`; None where no score needs it.
        reward_model: The model of `reward`; None where no score needs it.
    """

    embed: Embed | None
    benchmarks: dict[str, list[str]]
    roles: Mapping[str, Role] = field(default_factory=dict)
    in_flight: int = 16
    seed: int = 0
    causal_lm: CausalModel | None = None
    reward_model: RewardModel | None = None

    @property
    def vectors(self) -> Embed:
        """The embedding model.

        Raises:
            ValueError: It was not opened.
        """
        if self.embed is None:
            raise ValueError("a score needs vectors, and no embedding was opened")
        return self.embed

    def with_roles(
        self, roles: Mapping[str, Role], *, in_flight: int, seed: int
    ) -> "ScoringResources":
        """Return the resources with models to ask through the engine."""
        return replace(self, roles=roles, in_flight=in_flight, seed=seed)


def open_resources(config: ScoresConfig, where: str) -> ScoringResources:
    """Load the benchmarks, the embedding and the models in this process that the scores need.

    Raises:
        ConfigError: A benchmark file or a model cannot be loaded.
    """
    names, most = {*config.names}, config.scorer_tokens
    needs_vectors = {"neighbours", "tags"} & names
    embed = embedder(config.embedding, f"{where}: scores.embedding") if needs_vectors else None
    files = config.benchmarks if "overlap" in names else []
    resources = ScoringResources(embed, read_benchmarks(files, f"{where}: scores.benchmarks"))
    if "ifd" in names:
        model = open_causal(config.scorer, f"{where}: scores.scorer", max_tokens=most)
        resources = replace(resources, causal_lm=model)
    if "reward" in names and config.reward_model:
        key = f"{where}: scores.reward_model"
        rewarder = open_reward(config.reward_model, key, max_tokens=most)
        resources = replace(resources, reward_model=rewarder)
    return resources


def check_rows(rounds: Rounds, config: ScoresConfig, where: str) -> None:
    """Check that the rows have what the scores look at.

    Raises:
        ConfigError: A score needs responses, and no row has one.
    """
    needing = [name for name in config.names if name in ANSWERED]
    if needing and not any(row.response.strip() for rows in rounds.values() for row in rows):
        raise ConfigError(where, f"no row has a response, so {needing[0]} has nothing to score")


def score_settings(config: ScoresConfig, models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return by score the settings behind its figures, to compare them with those of other runs.

    `judge` is the model that gave the figures: a judge, solvers, a scorer, an embedding.

    Args:
        config: Names the scores.
        models: Names by role.
    """
    keys = config.model_dump(mode="json")
    solvers = ", ".join(models[role] for role in SOLVERS if role in models)
    judges = {**dict.fromkeys(config.judged, models.get("judge")), "solver": solvers}
    judges |= {"ifd": config.scorer, "reward": config.reward_model, "neighbours": config.embedding}
    return {
        name: {
            **{key: keys[key] for key in SETTINGS_BY_SCORE.get(name, ())},
            **({"judge": judges[name]} if name in judges else {}),
        }
        for name in config.names
    }


async def score_set(
    rounds: Rounds, config: ScoresConfig, resources: ScoringResources, listeners: Listeners
) -> ScoreResults:
    """Return all scores of a set; scores that ask a model through the engine come last."""
    counts = {number: {"rows": len(rows)} for number, rows in rounds.items()}
    results = ScoreResults(rounds, counts)
    for name in config.names:
        if name in _WITHOUT_MODEL:
            results.add_set(name, _WITHOUT_MODEL[name](rounds, config, resources))
    sampled = by_round(_sample(rounds, config.sample, resources.seed))
    # Every round has an entry, so that a round without sampled rows has figures, too.
    sample = {number: sampled.get(number, []) for number in rounds}
    if resources.causal_lm:
        results.add_set("ifd", await ifd_scores(sample, resources.causal_lm, listeners))
    if resources.reward_model:
        results.add_set("reward", await reward_scores(sample, resources.reward_model, listeners))
    for name in config.asking:
        await _add_row_scores(name, results, config, resources, listeners)
    return results


_WITHOUT_MODEL: dict[ScoreName, Callable[[Rounds, ScoresConfig, ScoringResources], SetScores]] = {
    "length": lambda rounds, _config, _resources: length_scores(rounds),
    "lexical": lambda rounds, _config, _resources: lexical_scores(rounds),
    "neighbours": lambda rounds, _config, resources: neighbour_scores(rounds, resources.vectors),
    "overlap": lambda rounds, config, resources: overlap_scores(
        rounds, resources.benchmarks, sizes=config.runs, alike=config.alike
    ),
    "confidence": lambda rounds, _config, _resources: confidence_scores(rounds),
    "growth": lambda rounds, _config, _resources: growth_scores(rounds),
    "quality": lambda rounds, _config, _resources: quality_scores(rounds),
    "keywords": lambda rounds, _config, _resources: keyword_scores(rounds),
}
"""The scores that ask no model."""


async def _add_row_scores(
    name: ScoreName,
    results: ScoreResults,
    config: ScoresConfig,
    resources: ScoringResources,
    listeners: Listeners,
) -> None:
    rows = _sample(results.rounds, config.sample, resources.seed)
    row_scorer = _scorer(name, config, resources.roles)
    listeners.on_phase(Phase(f"score: {name}", len(rows)))
    by_id = {row.id: row for row in rows}

    def on_scored(scored: Scored) -> None:
        results.add_row(name, scored)
        row = by_id[scored.id]
        listeners.on_row(Outcome(row, row, "failed" if scored.problem else "kept"))

    await score_rows(row_scorer, rows, on_scored, in_flight=resources.in_flight)
    _add_figures(name, results, config, resources)


def _scorer(name: ScoreName, config: ScoresConfig, roles: Mapping[str, Role]) -> Scorer:
    if name != "solver":
        return scorer(name, roles["judge"])
    strong = roles.get("strong_solver")
    return SolverScorer(roles["solver"], strong, config.samples, config.check)


def _add_figures(
    name: ScoreName, results: ScoreResults, config: ScoresConfig, resources: ScoringResources
) -> None:
    """Add the figures of each round, once every row is scored."""
    if name == "tags":
        _add_tag_figures(results, config, resources)
        return
    results.summarise(name)
    if name == "solver":
        _add_solver_figures(results)
    further = _FURTHER.get(name)
    for number, rows in results.rounds_with(name).items():
        if further:
            numbers = [results.number(row, name) for row in rows]
            results.figures[number][name] |= further(rows, numbers)


def _levels(_: Sequence[Row], numbers: Sequence[float | None]) -> Figures:
    levels = distribution(None if n is None else LEVELS[int(n) - 1] for n in numbers)
    return {"levels": dict(levels.counts)}


def _length_bias(rows: Sequence[Row], numbers: Sequence[float | None]) -> Figures:
    return {"length_correlation": length_correlation(rows, numbers)}


_FURTHER: dict[ScoreName, Callable[[Sequence[Row], Sequence[float | None]], Figures]] = {
    "difficulty": _levels,
    "grade": _length_bias,
}
"""Figures of a round beside the mean."""


def _add_solver_figures(results: ScoreResults) -> None:
    """Add the strong solver's rates and the gap, where there is a strong solver."""
    for number, rows in results.rounds_with("solver").items():
        for figure in (STRONG_SOLVER, GAP):
            means = mean_figures([results.number(row, "solver", figure) for row in rows])
            if means:
                results.figures[number]["solver"][figure] = means


def _add_tag_figures(
    results: ScoreResults, config: ScoresConfig, resources: ScoringResources
) -> None:
    """Merge tags of like meaning and count them round by round."""
    rounds = results.rounds_with("tags")
    rows = [row for members in rounds.values() for row in members]
    tags = [results.tags(row, "tags") for row in rows]
    # All rounds are merged together, so that a tag has the same name in each of them.
    if resources.embed:
        tags = merged(tags, alike(resources.embed, least=config.tag_similarity))
    tags = frequent(tags, least=config.tag_rows)
    by_id = {row.id: row_tags for row, row_tags in zip(rows, tags, strict=True)}
    for number, members in rounds.items():
        round_tags = [by_id[row.id] for row in members]
        results.figures.setdefault(number, {})["tags"] = {
            "complexity": complexity(round_tags),
            "diversity": diversity(round_tags),
            "coverage": coverage(round_tags, tags),
            "unscored": sum(row_tags is None for row_tags in round_tags),
        }


def _sample(rounds: Rounds, size: int | None, seed: int) -> list[Row]:
    """Return the rows of so many drawn seeds, the same seeds in every round.

    A row of a new lineage is drawn with the same chance as a seed.
    """
    rows = [row for members in rounds.values() for row in members]
    first = {row.seed_id: row for row in next(iter(rounds.values()), [])}
    if size is None or len(first) <= size:
        return rows

    def draw(row: Row) -> int:
        return draw_number("score", seed, row.seed_id)

    # A limit instead of a list of seeds: lineages that begin in a later round are drawn as well.
    limit = sorted(map(draw, first.values()))[size - 1]
    return [row for row in rows if draw(row) <= limit]
