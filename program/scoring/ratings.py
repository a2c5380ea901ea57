"""The judge's scores by name: each with its question, its inputs, and the reading of its reply."""

import re
from collections.abc import Mapping

from autoevol.metrics.quality.difficulty import LEVELS, parse_level, parse_score
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import ChainScorer, RowScorer, Scorer
from autoevol.signatures import RankChain, RateAnswer, RateComplexity, RateDifficulty, TagIntentions
from autoevol.signatures.scoring import GRADED, RANKED, RATED_LEVELS, RATED_SCORES, TAGGED

# The whole reply has to match: "7 or 8" is no grade.
_GRADE = re.compile(r"(?:grade:?\s*)?(10|[1-9])(?:\s*/\s*10)?\.?", re.IGNORECASE)
# A line a rung: "1: 20", "[2] - 35", "Version 3. 90/100".
_RUNG = re.compile(
    r"^\W*(?:version\s+)?(\d+)\W*[:.)–-]\s*\**(\d+(?:/100)?)[*.]*\s*$", re.MULTILINE | re.IGNORECASE
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")
_MOST_TAG_WORDS = 5
"""More words between two commas are a sentence."""


def scorer(name: str, judge: Role) -> Scorer:
    """Return the scorer called `name`, on a judge model.

    Raises:
        KeyError: No scorer has that name.
    """
    row_scorers = {
        "difficulty": (RateDifficulty, _instruction, level_number, RATED_LEVELS),
        "complexity": (RateComplexity, _instruction, _number, RATED_SCORES),
        "tags": (TagIntentions, _instruction, read_tags, TAGGED),
        "grade": (RateAnswer, exchange, read_grade, GRADED),
    }
    if name == "chain":
        return ChainScorer(name, judge, RankChain, read_chain, shown=RANKED)
    signature, inputs, read, shown = row_scorers[name]
    return RowScorer(name, judge, signature, inputs, read, shown)


def level_number(reply: str) -> float | None:
    """Return the level of a reply in [1, 5], 1 very easy, 5 very hard; None: it names no level."""
    level = parse_level(reply)
    return LEVELS.index(level) + 1.0 if level else None


def read_grade(reply: str) -> float | None:
    """Return the grade in [1, 10], higher is better; None: the reply is no grade."""
    match = _GRADE.fullmatch(reply.strip().strip("*"))
    return float(match[1]) if match else None


def read_chain(reply: str, count: int) -> list[float | None]:
    """Return the score in [0, 100] of each of `count` numbered texts; None where there is none.

    A number that is scored twice has no score, since it is not clear which one is meant.
    """
    scores: dict[int, list[float | None]] = {}
    for number, text in _RUNG.findall(reply):
        scores.setdefault(int(number), []).append(_number(text))
    return [
        only[0] if len(only := scores.get(number, [])) == 1 else None
        for number in range(1, count + 1)
    ]


def read_tags(reply: str) -> tuple[str, ...] | None:
    """Return the tags of a reply, each once; None: it is a sentence or empty.

    Tags are separated by commas or semicolons, or stand on lines of their own.
    """
    parts = [_LIST_MARK.sub("", part) for part in re.split(r"[,;\n]", reply)]
    tags = [part.strip(" .*#\"'`").casefold() for part in parts]
    named = tuple(dict.fromkeys(tag for tag in tags if tag))
    is_list = bool(named) and all(len(tag.split()) <= _MOST_TAG_WORDS for tag in named)
    return named if is_list else None


def exchange(row: Row) -> Mapping[str, str] | None:
    """Return the instruction and its answer; of a conversation, all turns with their answers."""
    if not row.response.strip():
        return None
    if not row.turns:
        return {"instruction": row.prompt, "answer": row.response}
    if len(row.answers) != len(row.turns):
        return None
    return {"instruction": row.text, "answer": "\n\n".join(row.answers)}


def _number(reply: str) -> float | None:
    score = parse_score(reply)
    return None if score is None else float(score)


def _instruction(row: Row) -> Mapping[str, str]:
    return {"instruction": row.question}
