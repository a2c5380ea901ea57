"""Scores without a model that look at rows one by one: growth, confidence, quality, keywords."""

from collections.abc import Sequence

from autoevol.experiments.scores.set_scores import Figures, Rounds, SetScores, mean_figures
from autoevol.metrics.quality.growth import within_budget, words_added
from autoevol.metrics.quality.keywords import count_operations, operations
from autoevol.metrics.quality.responses import Kind, Shortfall, counted, shortfall
from autoevol.program.evolution.rewriting import CONFIDENCE
from autoevol.program.records import Row

_TOP = 10
"""Operations that are named."""


def growth_scores(rounds: Rounds) -> SetScores:
    """Return the words that rewrites add to their parents; seeds and new lineages have none."""
    found = SetScores()
    texts = {row.id: row.text for rows in rounds.values() for row in rows}
    for number, rows in rounds.items():
        rewrites = [row for row in rows if row.round and row.seed_id != row.id]
        if not rewrites:
            continue
        for row in rewrites:
            _grow(found, row, texts)
        added = [found.by_row.get(row.id, {}).get("grown_words") for row in rewrites]
        known = [words for words in added if words is not None]
        budget = within_budget(known)
        found.by_round[number] = {
            **mean_figures(added),
            "within_budget": budget.value if budget else None,
            "unscored": len(added) - len(known),
        }
    return found


def _grow(found: SetScores, row: Row, texts: dict[str, str]) -> None:
    """Hold a rewrite against its parent; where that is not there, the seed's text is of round 1."""
    parent = texts.get(row.parent_id or "") or (row.origin if row.round == 1 else "")
    if not parent:
        found.problems[row.id] = "its parent is not there"
        return
    (added,) = words_added([parent, row.text])
    if added is None:
        found.problems[row.id] = "no words"
    else:
        found.by_row[row.id] = {"grown_words": float(added)}


def confidence_scores(rounds: Rounds) -> SetScores:
    """Return how sure the evolver was of its tokens, in (0, 1]; seeds are not counted.

    A row has a figure where its evolver sent log-probabilities.
    """
    found = SetScores()
    for number, rows in rounds.items():
        rewrites = [row for row in rows if row.round]
        values = [row.scores.get(CONFIDENCE) for row in rewrites]
        for row, value in zip(rewrites, values, strict=True):
            if value is None:
                found.problems[row.id] = "its evolver sent no log-probabilities"
            else:
                found.by_row[row.id] = {CONFIDENCE: value}
        if rewrites:
            found.by_round[number] = {**mean_figures(values), "unscored": values.count(None)}
    return found


def quality_scores(rounds: Rounds) -> SetScores:
    """Return the responses that are cut off, promise without giving, or are too short, by kind.

    A row's figure `shortfall` is 1 where one of its responses lacks something, else 0.
    """
    found = SetScores()
    for number, rows in rounds.items():
        answered = [row for row in rows if row.response]
        lacking = [_lacking(row) for row in answered]
        for row, lack in zip(answered, lacking, strict=True):
            found.by_row[row.id] = {"shortfall": float(lack is not None)}
            if lack:
                found.evidence[row.id] = f"{lack.kind}: {lack.evidence}"
        mute = [row for row in rows if not row.response]
        found.problems |= {row.id: "no answer" for row in mute}
        found.by_round[number] = {**_counts(lacking), "unscored": len(mute)}
    return found


def _lacking(row: Row) -> Shortfall | None:
    """Return what the first lacking response of a row lacks; a conversation has one for a turn."""
    pairs = [(row.prompt, row.response)]
    if row.turns and len(row.answers) == len(row.turns):
        pairs = list(zip(row.turns, row.answers, strict=True))
    return next((lack for asked, told in pairs if (lack := shortfall(asked, told))), None)


def _counts(lacking: Sequence[Shortfall | None]) -> Figures:
    told = counted(lacking)
    rate = told.rate
    return {
        "responses": told.responses,
        "rate": rate.value if rate else None,
        "interval": rate.interval if rate else None,
        **{_key(kind): count for kind, count in told.counts.items()},
    }


def _key(kind: Kind) -> str:
    return kind.replace(" ", "_")


def keyword_scores(rounds: Rounds) -> SetScores:
    """Return the operations that the thinking texts of rows name, and the commonest of them.

    The number of different ones grows with the texts (`scored`): compare only equal numbers.
    """
    found = SetScores()
    for number, rows in rounds.items():
        texts = {row.id: row.thinking for row in rows if row.thinking.strip()}
        found.problems |= {row.id: "no thinking text" for row in rows if row.id not in texts}
        counts = count_operations(texts.values())
        found.by_round[number] = {
            "operations": len(counts) if texts else None,
            "top": [f"{name}: {count}" for name, count in _commonest(counts)],
            "scored": len(texts),
            "unscored": len(rows) - len(texts),
        }
        for identity, text in texts.items():
            named = list(dict.fromkeys(operations(text)))
            found.by_row[identity] = {"operations": float(len(named))}
            if named:
                found.evidence[identity] = ", ".join(named[:_TOP])
    if not found.by_row:
        found.note = "no row has a thinking text; methods that think in steps leave one"
    return found


def _commonest(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return the operations that most texts name; of equals the first in the alphabet."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:_TOP]
