"""Constraints that are added to a row, with the checks that go with it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autoevol.metrics.text.scripts import dominant_script, latin_language
from autoevol.program.checks.check import Check
from autoevol.program.draws import draw_number
from autoevol.program.records import Row
from autoevol.signatures.constraints import ConstraintKind, constraint_kinds

MOST_ADDED = 2
"""Constraints of a row; more of them seldom go together."""

CHECKS = "checks"
"""The further column of a row that holds its checks."""

TESTS = "verified_tests"
"""The further column of a row that holds the tests that its answer passes."""

_BESIDE = frozenset(
    {
        *("includes_all", "includes_korean", "excludes_all", "word_at_least", "no_exclamation"),
        *("no_digits", "parentheses_at_least", "placeholders_at_least"),
    }
)
"""Kinds that go with most others."""

_ALONE = frozenset(
    {
        *("lower_case", "upper_case", "quoted", "sentences_start_with", "capital_words_at_most"),
        *("json_keys", "json_texts", "json_items", "csv_columns", "code_block", "table_columns"),
        *("without_latin", "without_letter", "letter_times", "characters_at_most"),
    }
)
"""Kinds that leave so little freedom that some other constraints could not be kept."""

_WITH_DIGITS = frozenset(
    {"numbered_exactly", "numbers_at_least", "numbers_ascending", "points_alphabetical"}
)
"""Kinds whose answers have digits."""

_OF_SEED = "{}_of_seed"
"""The column under which an evolved row keeps the checks of what it was evolved from."""


def without_checks(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the further columns of a row for a rewrite of it, which its checks are not about."""
    own = {name: meta[name] for name in (CHECKS, TESTS) if name in meta}
    if not own:
        return meta
    others = {name: value for name, value in meta.items() if name not in own}
    return others | {_OF_SEED.format(name): value for name, value in own.items()}


def constrained(
    row: Row, count: int, draw: int, constraints: Sequence[Sequence[Check]] = ()
) -> Row:
    """Return a row with so many constraints behind its instruction, and their checks.

    A conversation stays as it is, since no one answer could be checked; so does a row in a language
    that the constraints have no words in.

    Args:
        row: An evolved row.
        count: 1 or 2.
        draw: Of the attempt that made it.
        constraints: The checks of each constraint to draw one from; none: the shipped kinds.
    """
    language = _language(row.instruction)
    own = [checks for checks in constraints if _language(checks[0].text) == language]
    if row.turns or not language or (constraints and not own):
        return row
    rng = random.Random(draw_number("constraints", draw))
    kinds = [] if own else _kinds(count, rng, language)
    checks = rng.choice(own) if own else [_drawn(kind, rng, language) for kind in kinds]
    # Several verifiers of one constraint have the same words.
    texts = " ".join(dict.fromkeys(check.text for check in checks))
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
    # A kind that stands alone would leave no room for a second one.
    first = rng.choice([kind for kind in kinds if count == 1 or kind.name not in _ALONE])
    beside = [kind for kind in kinds if _go_together(first, kind)]
    return [first, *rng.sample(beside, min(count - 1, len(beside)))]


def _fits(kind: ConstraintKind, language: str) -> bool:
    if language == "ko":
        return "ko" in kind.wording and kind.name not in ("lower_case", "upper_case")
    return kind.family != "language" and kind.name != "includes_korean"


def _go_together(first: ConstraintKind, second: ConstraintKind) -> bool:
    if second.name not in _BESIDE or second.family == first.family:
        return False
    return not (second.name == "no_digits" and first.name in _WITH_DIGITS)


def _drawn(kind: ConstraintKind, rng: random.Random, language: str) -> Check:
    options = kind.drawn(rng)
    return Check(kind.name, options, text=kind.text(options, language))
