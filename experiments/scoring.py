"""The scores of a set, one after the other, in one book."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from experiments.embedding import Embed, embedder
from experiments.score_book import ScoreBook
from experiments.scores_config import SOLVERS, ScoreName, ScoresConfig
from experiments.set_scores import (
    Rounds,
    SetScores,
    confidence_scores,
    length_scores,
    lexical_scores,
    neighbour_scores,
    overlap_scores,
    read_benchmarks,
    told,
)
from metrics.difficulty import LEVELS, distribution
from metrics.scores import summary
from metrics.tags import alike, complexity, coverage, diversity, frequent, merged
from program.draws import draw_number
from program.listeners import Listeners, Phase
from program.ratings import scorer
from program.records import Outcome, Row
from program.roles import Role
from program.scorers import Scored, Scorer, score_rows
from program.solving import GAP, STRONG_SOLVER, SolverScorer


@dataclass(frozen=True, slots=True)
class Means:
    """What scores are made with.

    Attributes:
        embed: Texts to vectors; None where no score needs it.
        benchmarks: Texts by name.
        roles: Models by role, those that the scores ask.
        in_flight: Questions that are asked side by side, at least 1.
        seed: The run's.
    """

    embed: Embed | None
    benchmarks: dict[str, list[str]]
    roles: Mapping[str, Role] = field(default_factory=dict)
    in_flight: int = 16
    seed: int = 0


def means(config: ScoresConfig, where: str) -> Means:
    """Open what the scores need beside models.

    Raises:
        ConfigError: A benchmark file or the embedding model is not there.
    """
    needs_vectors = {"neighbours", "tags"} & {*config.names}
    embed = embedder(config.embedding, f"{where}: scores.embedding") if needs_vectors else None
    files = config.benchmarks if "overlap" in config.names else []
    beside = Path(where).parent
    return Means(embed, read_benchmarks(files, f"{where}: scores.benchmarks", beside=beside))


def settings_of(config: ScoresConfig, models: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return by score what its figures went by, so that others can be held against them.

    Args:
        config: Names the scores.
        models: Names by role.
    """
    told = config.model_dump(mode="json", exclude={"names"})
    solvers = ", ".join(models[role] for role in SOLVERS if role in models)
    judges = {name: solvers if name == "solver" else models["judge"] for name in config.asking}
    return {
        name: {**told, **({"judge": judges[name]} if name in judges else {})}
        for name in config.names
    }


async def score_set(
    rounds: Rounds, config: ScoresConfig, given: Means, listeners: Listeners
) -> ScoreBook:
    """Return the figures of a set; those that ask no model come first."""
    book = ScoreBook(rounds, {number: {"rows": len(rows)} for number, rows in rounds.items()})
    for name in config.names:
        if name not in config.asking:
            book.add_set(name, _set_scores(name, rounds, config, given))
    for name in config.asking:
        await _asked(name, book, config, given, listeners)
    return book


def _set_scores(name: ScoreName, rounds: Rounds, config: ScoresConfig, given: Means) -> SetScores:
    if name == "length":
        return length_scores(rounds)
    if name == "lexical":
        return lexical_scores(rounds)
    if name == "confidence":
        return confidence_scores(rounds)
    if name == "neighbours" and given.embed:
        return neighbour_scores(rounds, given.embed)
    return overlap_scores(rounds, given.benchmarks, sizes=config.runs, alike=config.alike)


async def _asked(
    name: ScoreName, book: ScoreBook, config: ScoresConfig, given: Means, listeners: Listeners
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


def _conclude(name: ScoreName, book: ScoreBook, config: ScoresConfig, given: Means) -> None:
    if name == "tags":
        _tag_figures(book, config, given)
        return
    book.summarise(name)
    if name == "solver":
        _solver_figures(book)
    if name == "difficulty":
        for number, rows in book.asked(name).items():
            numbers = [book.number(row, name) for row in rows]
            levels = distribution(None if n is None else LEVELS[int(n) - 1] for n in numbers)
            book.figures[number][name]["levels"] = dict(levels.counts)


def _solver_figures(book: ScoreBook) -> None:
    """Add the strong solver's rates and the gap, where there is one."""
    for number, rows in book.asked("solver").items():
        for figure in (STRONG_SOLVER, GAP):
            found = summary([book.number(row, "solver", figure) for row in rows])
            if found:
                book.figures[number]["solver"][figure] = told(found, len(rows))


def _tag_figures(book: ScoreBook, config: ScoresConfig, given: Means) -> None:
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
    first = next(iter(rounds.values()), [])
    if size is None or len(first) <= size:
        return rows

    def drawn(row: Row) -> int:
        return draw_number("score", seed, row.seed_id)

    limit = sorted({row.seed_id: drawn(row) for row in first}.values())[size - 1]
    return [row for row in rows if drawn(row) <= limit]


def asking(given: Means, roles: Mapping[str, Role], *, in_flight: int, seed: int) -> Means:
    """Return the means with models to ask."""
    return replace(given, roles=roles, in_flight=in_flight, seed=seed)
