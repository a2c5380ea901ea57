"""Cases as text for the analysis, and the analysis taken apart (paper, section 3.2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autoevol.program.records import Trajectory

_GENERAL = re.compile(r"^[\s>*#_-]*general(?: advice| feedback)?[\s*_]*[:：]\s*", re.IGNORECASE)
_BEFORE_ID = r"^[\s>*#`'\"(\[_-]*(?:\d+[.)]\s+)?[\s*`'\"(\[]*(?:case|id)?[\s:#*`'\"]*"
_AFTER_ID = r"(?![\w-])[\s`*\]\"'_:：,.)-]*(?:reason[\s*_]*[:：])?\s*(?P<reason>.*)$"


@dataclass(frozen=True, slots=True)
class Analysis:
    """The feedback f_t of the paper, taken apart.

    Attributes:
        reasons: Why a case failed, by case id.
        general: Advice for all instructions.
    """

    reasons: dict[str, str]
    general: str

    def __str__(self) -> str:
        lines = [f"{case}: {reason}" for case, reason in self.reasons.items()]
        return "\n".join([*lines, f"general: {self.general}"])


def render_cases(cases: Sequence[Trajectory], *, max_words: int) -> str:
    """Return the cases as text, one block each: id, stages, and what F noted."""
    blocks = []
    for case in cases:
        stages = [f"stage {i}: {_cut(text, max_words)}" for i, text in enumerate(case.stages)]
        blocks.append(
            "\n".join([f"case {case.id}", *stages, *(f"note on {n}" for n in case.notes)])
        )
    return "\n\n".join(blocks)


def read_analysis(text: str, case_ids: set[str]) -> Analysis:
    """Read lines `id: reason` and `general: advice`, however they are decorated.

    What belongs to no known case counts as general advice, so that nothing is lost.
    """
    reasons: dict[str, str] = {}
    general: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        case, reason = _reason(line, case_ids)
        if case is None or _GENERAL.match(line):
            general.append(_GENERAL.sub("", line).strip(" *"))
        else:
            reasons[case] = f"{reasons[case]}; {reason}" if case in reasons else reason
    return Analysis(reasons, " ".join(general))


def _reason(line: str, case_ids: set[str]) -> tuple[str | None, str]:
    """Return the case that a line begins with, and what it says of it."""
    for case in sorted(case_ids, key=len, reverse=True):
        match = re.match(_BEFORE_ID + re.escape(case) + _AFTER_ID, line, re.IGNORECASE)
        if match:
            return case, match["reason"].strip(" *") or line
    return None, line


def _cut(text: str, max_words: int) -> str:
    parts = text.split()
    return text if len(parts) <= max_words else " ".join(parts[:max_words]) + " …"
