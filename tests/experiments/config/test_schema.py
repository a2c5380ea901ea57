"""The JSON Schema takes every config that we take, and the pages made of it are current."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from autoevol.experiments.config.documentation.reference import config_reference
from autoevol.experiments.config.documentation.schema import EDITOR_LINE, FILE, config_schema
from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.config.shipped import CONFIGS
from autoevol.program.errors import ConfigError
from tests.conftest import REPOSITORY
from tests.support.command_line import run_cli

FILES = [
    *CONFIGS.glob("*.yaml"),
    *(REPOSITORY / "benchmarks" / "slm").glob("*.yaml"),
    *(REPOSITORY / "tests" / "fixtures").glob("*/*.yaml"),
    *(REPOSITORY / "tests" / "fixtures").glob("*/*/config.yaml"),
]
VALIDATOR = jsonschema.Draft202012Validator(config_schema())


def problems(tree: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tree)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-2:]))
def test_every_config_of_ours_fits_the_schema(file: Path) -> None:
    assert problems(yaml.safe_load(file.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"models": {"evolver": "a/b", "judge": "a/c"}}, id="names of models"),
        pytest.param({"failure": {"rules": ["strict", "-truncated"]}}, id="rules of both stages"),
        pytest.param({"evolve": {"schedule": ["a", ["b", {"name": "c"}]]}}, id="schedule"),
        pytest.param({"evolve": {"children": 2, "rounds": None}}, id="a number of children"),
        pytest.param({"data": {"path": "x", "dev_size": "auto"}}, id="sizes"),
        pytest.param({"filters": ["dedup", {"dedup": {"alike": 0.5}}]}, id="short filters"),
        pytest.param({"filters": [{"top_mnd": 0.3}, {"diverse_subset": None}]}, id="top"),
        pytest.param({"models": {"evolver": {"model": "a", "fallbacks": ["b"]}}}, id="fallbacks"),
    ],
)
def test_short_forms_fit_the_schema(sections: dict[str, Any]) -> None:
    whole = {"name": "t", "models": {"evolver": "a/b"}, "data": {"path": "x"}, **sections}
    assert problems(whole) == []


@pytest.mark.parametrize(
    "sections",
    [{"sedd": 3}, {"seed": -1}, {"evolve": {"choise": "random"}}, {"failure": {"suspects": "no"}}],
)
def test_what_we_refuse_does_not_fit(sections: dict[str, Any]) -> None:
    assert problems({"name": "t", "models": {"evolver": "a"}, "data": {"path": "x"}, **sections})


def test_the_shipped_schema_and_the_page_of_keys_are_current() -> None:
    """If not: `autoevol schema > experiments/configs/autoevol.schema.json`, and `--markdown`."""
    assert json.loads((CONFIGS / FILE).read_text("utf-8")) == config_schema()
    assert (REPOSITORY / "docs" / "config.md").read_text("utf-8") == config_reference()


def test_the_command_prints_both() -> None:
    assert json.loads(run_cli("schema", expected=0).out) == config_schema()
    assert run_cli("schema", "--markdown", expected=0).out == config_reference()


def test_every_key_has_a_meaning_for_readers() -> None:
    definitions = config_schema()["$defs"]
    bare = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        if name != "ShortFilter"
        for key, entry in definition.get("properties", {}).items()
        if not entry.get("description")
    ]
    assert bare == []


def test_editors_find_the_schema_of_every_shipped_config() -> None:
    firsts = {file.read_text("utf-8").splitlines()[0] for file in CONFIGS.glob("*.yaml")}
    assert firsts == {EDITOR_LINE}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("seed: 3", "name, models.evolver, data.path"),
        ("name: t\nmodels: {}", "models.evolver, data.path"),
        ("name: t\nmodels: {evolver: {}}\ndata: {}", "models.evolver.model, data.path"),
    ],
)
def test_all_missing_keys_are_named_at_once(tmp_path: Path, text: str, keys: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_config(file)
    assert str(refused.value) == f"{file}: {keys}: are required"
