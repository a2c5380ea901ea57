"""Scores without a model that look at rows one by one: growth, confidence, quality, keywords."""

from collections.abc import Mapping, Sequence

from autoevol.experiments.scores.results import Figures, Rounds, SetScores, mean_figures
from autoevol.metrics.quality.growth import within_budget, words_added
from autoevol.metrics.quality.keywords import count_operations, operations
from autoevol.metrics.quality.responses import Kind, Shortfall, counted, shortfall
from autoevol.program.evolution.rewriting import CONFIDENCE
from autoevol.program.records import Row

_TOP = 10
"""Operations that are listed by name."""


def growth_scores(rounds: Rounds) -> SetScores:
    """Return the words that rewrites add to their parents; seeds and new lineages have none."""
    scores = SetScores()
    texts = {row.id: row.text for rows in rounds.values() for row in rows}
    for number, rows in rounds.items():
        rewrites = [row for row in rows if row.round and row.seed_id != row.id]
        if not rewrites:
            continue
        for row in rewrites:
            _add_growth(scores, row, texts)
        added = [scores.by_row.get(row.id, {}).get("grown_words") for row in rewrites]
        measured = [words for words in added if words is not None]
        budget = within_budget(measured)
        scores.by_round[number] = {
            **mean_figures(added),
            "within_budget": budget.value if budget else None,
            "unscored": len(added) - len(measured),
        }
    return scores


def _add_growth(scores: SetScores, row: Row, texts: Mapping[str, str]) -> None:
    """Add the words that a rewrite has beyond its parent."""
    # The parent of a first-round row is its seed, whose text the row itself carries: the growth is
    # known even where the seeds have moved.
    parent = texts.get(row.parent_id or "") or (row.origin if row.round == 1 else "")
    if not parent:
        scores.problems[row.id] = "its parent is not there"
        return
    (added,) = words_added([parent, row.text])
    if added is None:
        scores.problems[row.id] = "no words"
    else:
        scores.by_row[row.id] = {"grown_words": float(added)}


def confidence_scores(rounds: Rounds) -> SetScores:
    """Return the evolver's mean probability of its tokens, in (0, 1]; seeds have none.

    A row has a figure where its evolver sent log-probabilities.
    """
    scores = SetScores()
    for number, rows in rounds.items():
        rewrites = [row for row in rows if row.round]
        values = [row.scores.get(CONFIDENCE) for row in rewrites]
        for row, value in zip(rewrites, values, strict=True):
            if value is None:
                scores.problems[row.id] = "its evolver sent no log-probabilities"
            else:
                scores.by_row[row.id] = {CONFIDENCE: value}
        if rewrites:
            scores.by_round[number] = {**mean_figures(values), "unscored": values.count(None)}
    return scores


def quality_scores(rounds: Rounds) -> SetScores:
    """Return the responses that are empty, cut off, empty promises or too short, by kind.

    A row's figure `shortfall` is 1 where one of its responses lacks something, else 0.
    """
    scores = SetScores()
    for number, rows in rounds.items():
        answered = [row for row in rows if row.response]
        shortfalls = [_first_shortfall(row) for row in answered]
        for row, lack in zip(answered, shortfalls, strict=True):
            scores.by_row[row.id] = {"shortfall": float(lack is not None)}
            if lack:
                scores.evidence[row.id] = f"{lack.kind}: {lack.evidence}"
        unanswered = [row for row in rows if not row.response]
        scores.problems |= {row.id: "no answer" for row in unanswered}
        scores.by_round[number] = {**_shortfall_figures(shortfalls), "unscored": len(unanswered)}
    return scores


def _first_shortfall(row: Row) -> Shortfall | None:
    """Return what the first deficient response of a row lacks; a conversation has one a turn."""
    pairs = [(row.prompt, row.response)]
    if row.turns and len(row.answers) == len(row.turns):
        pairs = list(zip(row.turns, row.answers, strict=True))
    lacks = (shortfall(question, answer) for question, answer in pairs)
    return next((lack for lack in lacks if lack), None)


def _shortfall_figures(shortfalls: Sequence[Shortfall | None]) -> Figures:
    quality = counted(shortfalls)
    rate = quality.rate
    return {
        "responses": quality.responses,
        "rate": rate.value if rate else None,
        "interval": rate.interval if rate else None,
        **{_key(kind): count for kind, count in quality.counts.items()},
    }


def _key(kind: Kind) -> str:
    return kind.replace(" ", "_")


def keyword_scores(rounds: Rounds) -> SetScores:
    """Return the operations that the rows' thinking texts name, and the most frequent of them.

    The number of different ones grows with the texts (`scored`): compare only equal numbers.
    """
    texts = {
        number: {row.id: row.thinking for row in rows if row.thinking.strip()}
        for number, rows in rounds.items()
    }
    names = {
        identity: [*dict.fromkeys(operations(text))]
        for round_texts in texts.values()
        for identity, text in round_texts.items()
    }
    return SetScores(
        by_round={n: _keyword_figures(len(rows), texts[n]) for n, rows in rounds.items()},
        by_row={identity: {"operations": float(len(own))} for identity, own in names.items()},
        evidence={identity: ", ".join(own[:_TOP]) for identity, own in names.items() if own},
        problems={
            row.id: "no thinking text"
            for number, rows in rounds.items()
            for row in rows
            if row.id not in texts[number]
        },
        note="" if names else "no row has a thinking text; methods that think in steps leave one",
    )


def _keyword_figures(rows: int, texts: Mapping[str, str]) -> Figures:
    counts = count_operations(texts.values())
    return {
        "operations": len(counts) if texts else None,
        "top": [f"{name}: {count}" for name, count in _most_frequent(counts)],
        "scored": len(texts),
        "unscored": rows - len(texts),
    }


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return the operations that most texts name; of equals the first in the alphabet."""
    return sorted(counts.items(), key=lambda count: (-count[1], count[0]))[:_TOP]
