"""The published systems' numbers, as their code has them."""

from typing import Any

import pytest

from autoevol.experiments.config.verify import VerifyConfig
from autoevol.program.verification.options import PresetName


def _config(preset: PresetName, **own: Any) -> VerifyConfig:
    return VerifyConfig.model_validate({"preset": preset, **own})


def test_autoif_asks_for_three_functions_and_ten_cases_and_all_nine_stages() -> None:
    config = _config("autoif")
    assert (config.samples, config.agreement) == (8, 0.8)
    assert (config.least_functions, config.least_cases) == (3, 10)
    assert (config.descriptions, config.grade_above, config.two_sided) == (3, 8.0, False)
    assert (config.queries, config.positive, config.pairs) == (16, 0.5, 2)


def test_hypherx_asks_for_one_and_leaves_three_stages_out() -> None:
    config = _config("hypherx")
    assert (config.samples, config.agreement) == (8, 0.8)
    assert (config.least_functions, config.least_cases) == (1, 1)
    assert (config.descriptions, config.grade_above, config.two_sided) == (0, None, False)
    assert (config.queries, config.responses) == (16, 1)


def test_a_config_may_change_a_number_of_its_preset() -> None:
    assert _config("autoif", least_cases=4).least_cases == 4


def test_numbers_without_a_preset_are_autoifs_but_for_cases_of_both_sorts() -> None:
    own, theirs = VerifyConfig().model_dump(), _config("autoif").model_dump()
    assert {key for key in own if own[key] != theirs[key]} == {"preset", "two_sided"}


def test_a_preset_that_can_never_be_met_is_refused() -> None:
    with pytest.raises(ValueError, match="least_functions is 3, but samples writes 2"):
        _config("autoif", samples=2)
