"""The judge's scores by name: which question, about what of a row, and how the reply is read."""

import re
from collections.abc import Mapping

from autoevol.metrics.quality.difficulty import LEVELS, parse_level, parse_score
from autoevol.program.records import Row
from autoevol.program.roles import Role
from autoevol.program.scoring.scorers import ChainScorer, RowScorer, Scorer
from autoevol.signatures import RankChain, RateAnswer, RateComplexity, RateDifficulty, TagIntentions
from autoevol.signatures.scoring import GRADED, RANKED, RATED_LEVELS, RATED_SCORES, TAGGED

_GRADE = re.compile(r"(?:grade:?\s*)?(10|[1-9])(?:\s*/\s*10)?\.?", re.IGNORECASE)
_RUNG = re.compile(
    r"^\W*(?:version\s+)?(\d+)\W*[:.)–-]\s*\**(\d+(?:/100)?)[*.]*\s*$", re.MULTILINE | re.IGNORECASE
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")
_MOST_TAG_WORDS = 5


def scorer(name: str, judge: Role) -> Scorer:
    """Return the score `name` on a judge model.

    Raises:
        KeyError: There is no such score.
    """
    rows = {
        "difficulty": (RateDifficulty, _instruction, level_number, RATED_LEVELS),
        "complexity": (RateComplexity, _instruction, _number, RATED_SCORES),
        "tags": (TagIntentions, _instruction, read_tags, TAGGED),
        "grade": (RateAnswer, exchange, read_grade, GRADED),
    }
    if name == "chain":
        return ChainScorer(name, judge, RankChain, read_chain, shown=RANKED)
    signature, inputs, read, shown = rows[name]
    return RowScorer(name, judge, signature, inputs, read, shown)


def level_number(reply: str) -> float | None:
    """Return the level of a reply as a number, 1 very easy to 5 very hard; None: it names none."""
    level = parse_level(reply)
    return LEVELS.index(level) + 1.0 if level else None


def read_grade(reply: str) -> float | None:
    """Return the grade in [1, 10], higher is better; None: the reply is something else."""
    match = _GRADE.fullmatch(reply.strip().strip("*"))
    return float(match[1]) if match else None


def read_chain(reply: str, count: int) -> list[float | None]:
    """Return the score in [0, 100] of each of `count` numbered texts; None where there is none.

    A number that is scored twice has no score, since it is not clear which one is meant.
    """
    found: dict[int, list[float | None]] = {}
    for number, text in _RUNG.findall(reply):
        found.setdefault(int(number), []).append(_number(text))
    return [
        only[0] if len(only := found.get(number, [])) == 1 else None
        for number in range(1, count + 1)
    ]


def read_tags(reply: str) -> tuple[str, ...] | None:
    """Return the tags of a reply, each once; None: it is a sentence or empty.

    They stand in one line with commas between them, or one on a line.
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
