"""Remedies: every fault can be named to an evolver, and every order is one a method may hold."""

import pytest

from autoevol.metrics import RULES
from autoevol.signatures import EvolveInstruction
from autoevol.signatures.remedies import REFUSED, REMEDIES, refusal_of, with_refusal


@pytest.mark.parametrize("rule", REMEDIES)
def test_a_remedy_completes_its_sentence(rule: str) -> None:
    text = refusal_of(rule, "12 words")
    assert f"since it {REMEDIES[rule].fault} (12 words). {REMEDIES[rule].order}" in text
    assert REMEDIES[rule].order.endswith(".")


def test_remedies_are_of_rules_that_exist() -> None:
    # `over_length` is the length goal's, which is no rule of F.
    assert set(REMEDIES) - set(RULES) == {"over_length"}


def test_a_rule_without_a_remedy_is_named() -> None:
    assert refusal_of("h2o_change", "as before") == (
        "An earlier attempt was refused: h2o change (as before)."
    )


def test_the_refusal_comes_behind_the_row_in_both_forms() -> None:
    variant = with_refusal(EvolveInstruction)
    assert list(variant.input_fields) == ["instruction", REFUSED]
    assert variant.instructions == EvolveInstruction.instructions
    assert with_refusal(EvolveInstruction) is variant
