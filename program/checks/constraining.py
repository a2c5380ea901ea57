"""Constraints that are added to a row, with the checks that go with it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autoevol.metrics.text.scripts import dominant_script, latin_language
from autoevol.program.checks.check import Check
from autoevol.program.draws import draw_number
from autoevol.program.records import Row
from autoevol.signatures.constraints import ConstraintKind, constraint_kinds

MOST_ADDED = 2
"""Constraints of a row; more of them seldom go together."""

CHECKS = "checks"
"""The further column of a row that holds its checks."""

_BESIDE = ("keywords", "form")
"""Families whose kinds go with one of another family."""

_APART: Mapping[str, frozenset[str]] = {
    "no_digits": frozenset(
        {"numbered_exactly", "numbers_at_least", "numbers_ascending", "points_alphabetical"}
    ),
    "numbers_at_least": frozenset({"no_digits"}),
    "lower_case": frozenset({"postscript", "korean_endings", "in_korean", "without_latin"}),
    "upper_case": frozenset({"code_block", "korean_endings", "in_korean", "without_latin"}),
    "no_commas": frozenset({"json_keys", "json_texts", "json_items", "csv_columns"}),
    "quoted": frozenset(
        {"json_keys", "json_texts", "json_items", "csv_columns", "titled", "code_block"}
    ),
}
"""Kinds of these families that do not go together all the same."""


def constrained(row: Row, count: int, draw: int) -> Row:
    """Return a row with so many constraints behind its instruction, and their checks.

    A conversation stays as it is, since no one answer could be checked; so does a row in a language
    that the constraints have no words in. Checks that the seed came with are about another
    instruction; these replace them.

    Args:
        row: An evolved row.
        count: 1 or 2.
        draw: Of the attempt that made it.
    """
    language = _language(row.instruction)
    if row.turns or not language:
        return row
    rng = random.Random(draw_number("constraints", draw))
    checks = [_drawn(kind, rng, language) for kind in _kinds(count, rng, language)]
    texts = " ".join(check.text for check in checks)
    return replace(
        row,
        instruction=f"{row.instruction}\n\n{texts}",
        meta={**row.meta, CHECKS: [check.as_json() for check in checks]},
    )


def _language(text: str) -> str:
    """Return the language of the constraints' words, "en" or "ko"; "": there are none."""
    script = dominant_script(text)
    if script == "hangul":
        return "ko"
    return "en" if script == "latin" and latin_language(text) in ("en", None) else ""


def _kinds(count: int, rng: random.Random, language: str) -> Sequence[ConstraintKind]:
    """Return kinds that go together, in words of the language."""
    kinds = [kind for kind in constraint_kinds().values() if _fits(kind, language)]
    first = rng.choice(kinds)
    beside = [kind for kind in kinds if _go_together(first, kind)]
    return [first, *rng.sample(beside, min(count - 1, len(beside)))]


def _fits(kind: ConstraintKind, language: str) -> bool:
    if language == "ko":
        return "ko" in kind.wording and kind.name not in ("lower_case", "upper_case")
    return kind.family != "language" and kind.name != "includes_korean"


def _go_together(first: ConstraintKind, second: ConstraintKind) -> bool:
    if second.family not in _BESIDE or second.family == first.family:
        return False
    return second.name not in _APART.get(first.name, ()) and first.name not in _APART.get(
        second.name, ()
    )


def _drawn(kind: ConstraintKind, rng: random.Random, language: str) -> Check:
    options = kind.drawn(rng)
    return Check(kind.name, options, text=kind.text(options, language))
