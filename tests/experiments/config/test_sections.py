"""Settings are declared once: a section has the keys, bounds and defaults of its dataclass."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.evolve import AnswerConfig, EvolveConfig
from autoevol.experiments.config.experiment import BudgetConfig, config_of
from autoevol.experiments.config.models import EndpointConfig, ModelConfig, model_settings
from autoevol.experiments.config.optimizer import OptimizerConfig
from autoevol.experiments.config.section import Section, settings_from
from autoevol.experiments.models.budget import Budget
from autoevol.experiments.models.settings import EndpointOptions, ModelOptions
from autoevol.program.errors import ConfigError
from autoevol.program.evolution.answering import AnswerSettings
from autoevol.program.evolution.generator import GenerationOptions, GenerationSettings
from autoevol.program.search.settings import SearchOptions, SearchSettings

SECTIONS = [
    (OptimizerConfig, SearchOptions),
    (EvolveConfig, GenerationOptions),
    (AnswerConfig, AnswerSettings),
    (EndpointConfig, EndpointOptions),
    (ModelConfig, ModelOptions),
    (BudgetConfig, Budget),
]


def tree(**sections: Any) -> dict[str, Any]:
    model = {"evolver": {"model": "scripted/world"}}
    return {"name": "t", "models": model, "data": {"path": "x.jsonl"}, **sections}


@pytest.mark.parametrize(("section", "settings"), SECTIONS)
def test_a_section_has_the_keys_and_defaults_of_its_dataclass(
    section: type[Section], settings: Any
) -> None:
    for field in fields(settings):
        key = section.model_fields[field.name]
        if field.default is not MISSING:
            assert key.default == field.default, field.name
        elif field.default_factory is not MISSING:
            assert key.get_default(call_default_factory=True) == field.default_factory()
        else:
            assert key.is_required(), field.name


@pytest.mark.parametrize(
    ("sections", "needle"),
    [
        ({"optimizer": {"steps": 0}}, "optimizer.steps: Input should be greater than or equal"),
        ({"optimizer": {"race_level": 1}}, "optimizer.race_level: Input should be less than 1"),
        ({"optimizer": {"operators": []}}, "optimizer.operators: List should have at least 1"),
        ({"optimizer": {"temperatures": [0, 3]}}, "optimizer.temperatures.1: Input should be less"),
        ({"evolve": {"children": []}}, "evolve.children: List should have at least 1 item"),
        ({"evolve": {"children": [0]}}, "equal to 1, got 0"),
        ({"answer": {"samples": 0}}, "answer.samples: Input should be greater than or equal to 1"),
        ({"budget": {"usd": 0}}, "budget.usd: Input should be greater than 0"),
        ({"optimizer": {"seed": 1}}, "optimizer.seed: unknown key"),
        ({"evolve": {"learned": {}}}, "evolve.learned: unknown key"),
    ],
)
def test_the_bounds_of_a_dataclass_are_enforced(sections: dict[str, Any], needle: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_of(tree(**sections), Path("t.yaml"))
    assert needle in str(refused.value)
    assert "more)" not in str(refused.value)


@pytest.mark.parametrize(
    ("section", "wrong", "key"),
    [
        ("optimizer", {"batch_size": True}, "optimizer.batch_size"),
        ("optimizer", {"temperatures": [0.2, False]}, "optimizer.temperatures"),
        ("evolve", {"children": True}, "evolve.children"),
        ("failure", {"thresholds": {"overlap": True}}, "failure.thresholds"),
        ("data", {"where": {"domain": True}}, "data.where"),
    ],
)
def test_a_switch_is_no_number(section: str, wrong: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match="must not be true or false") as raised:
        config_of(tree(**{section: wrong}), Path("t.yaml"))
    assert raised.value.where == f"t.yaml: {key}"


def test_what_only_a_run_knows_is_no_key() -> None:
    assert {field.name for field in fields(SearchSettings)} - {*OptimizerConfig.model_fields} == {
        "seed",
        "earlier",
        "first_number",
    }
    own = {field.name for field in fields(GenerationSettings)} - {*EvolveConfig.model_fields}
    assert own == {"weights", "learned", "seed"}


def test_settings_take_the_values_of_their_section() -> None:
    section = OptimizerConfig(steps=3, temperatures=(0.2, 0.9))
    run = {"seed": 7, "earlier": (), "first_number": 0}
    assert settings_from(section, SearchSettings, **run) == SearchSettings(
        steps=3, temperatures=(0.2, 0.9), seed=7, first_number=0
    )


def test_fallbacks_have_their_own_endpoint_and_the_sampling_of_the_role() -> None:
    fallback = EndpointConfig(model="scripted/b", timeout=3)
    settings = model_settings(
        "evolver", ModelConfig(model="scripted/a", temperature=0.4, timeout=9, fallbacks=[fallback])
    )
    (second,) = settings.fallbacks
    assert (settings.model, settings.timeout, settings.temperature) == ("scripted/a", 9, 0.4)
    assert (second.model, second.timeout, second.temperature) == ("scripted/b", 3, 0.4)
    assert second.role == "evolver"


def test_a_written_config_begins_a_section_with_what_the_rest_depends_on() -> None:
    config = config_of(tree(), Path("t.yaml")).model_dump(mode="json")
    first = {key: next(iter(config[key])) for key in ("optimizer", "evolve")}
    assert first == {"optimizer": "name", "evolve": "methods"}
    assert next(iter(config["models"]["evolver"])) == "model"


def test_a_written_config_is_read_as_the_same(tmp_path: Path) -> None:
    for evolve in ({"schedule": ["e0", ["e0", "weak"]]}, {"methods": ["weak"], "children": 2}):
        config = config_of(tree(evolve=evolve), Path("t.yaml"))
        assert config_of(config.model_dump(mode="json"), Path("t.yaml")) == config
