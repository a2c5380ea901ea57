"""A mistake in a matrix is one line that names file, key and value; nothing is written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autoevol.experiments.config.experiment import load_config
from autoevol.experiments.models.transports import scripted
from autoevol.experiments.models.transports.protocol import Message
from autoevol.program.errors import AccessError, ConfigError
from tests.support.command_line import run_cli

WriteConfig = Callable[..., Path]


def refuse(config: Path, *needles: str, command: str = "run", more: Sequence[str] = ()) -> None:
    """Run a config that must be refused."""
    before = sorted(Path().rglob("*"))
    result = run_cli(command, str(config), *more)
    assert result.code == 2, result.err
    assert len(result.err.strip().splitlines()) == 1
    assert len(result.err) < 500
    for needle in needles:
        assert needle in result.err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("matrix", "needles"),
    [
        pytest.param([], ["test.yaml: matrix", "name keys"], id="no keys"),
        pytest.param({}, ["test.yaml: matrix", "name keys"], id="no key"),
        pytest.param({"seed": 1}, ["matrix.seed", "list of values"], id="no list"),
        pytest.param({"seed": []}, ["matrix.seed", "at least one"], id="empty"),
        pytest.param({"seed": [1, 2, 1]}, ["matrix.seed", "1 and 3"], id="twice"),
        pytest.param({"seed.": [1]}, ["matrix.seed.", "not a key"], id="no dotted key"),
        pytest.param({1: [1]}, ["matrix.1", "not a key"], id="a number"),
        pytest.param({"optimizer": {"name": ["none"]}}, ["matrix.optimizer", "list"], id="nested"),
        pytest.param({"name": ["a"]}, ["matrix.name", "cannot vary"], id="name"),
        pytest.param({"output.dir": ["a"]}, ["matrix.output.dir", "cannot vary"], id="output"),
        pytest.param({"matrix.seed": [1]}, ["matrix.matrix.seed", "cannot vary"], id="matrix"),
        pytest.param(
            {"evolve": [{}], "evolve.rounds": [1]}, ["matrix.evolve.rounds", "beside"], id="inside"
        ),
        pytest.param(
            {"optimizer.nme": ["none"]}, ["matrix.optimizer.nme", "'name'"], id="misspelt"
        ),
        pytest.param(
            {"optimizer.name": ["none", "magic"]},
            ["matrix.optimizer.name", '"magic"', "cell magic"],
            id="value",
        ),
        pytest.param(
            {"optimizer.steps": [1, "ten"]}, ["matrix.optimizer.steps", '"ten"'], id="type"
        ),
        pytest.param({"seed.first": [1]}, ["matrix.seed.first", "seed"], id="a key below a value"),
        pytest.param(
            {"models.evolver.model": ["scripted/world", "scripted/nobody"]},
            ["matrix.models.evolver.model", "nobody"],
            id="model",
        ),
        pytest.param(
            {"models.evolver.model": ["scripted/world", "openai/gpt-4o-mini"]},
            ["matrix.models.evolver.model", "OPENAI_API_KEY"],
            id="key",
        ),
        pytest.param(
            {"evolve.methods": [["weak"], ["weak", "deepen"]]},
            ["matrix.evolve.methods", '["weak", "deepen"]', "one method"],
            id="search from two",
        ),
        pytest.param(
            {"evolve.methods": [["weak"], [{"name": "deepen", "wordz": 5}]]},
            ["matrix.evolve.methods", "0.wordz", "'words'"],
            id="inside a value",
        ),
        pytest.param(
            {"data.path": ["seeds.jsonl", "gone.jsonl"]},
            ["matrix.data.path", "gone.jsonl"],
            id="data",
        ),
        pytest.param(
            {"data.dev_size": [12, 29]}, ["test.yaml: matrix.data.dev_size", "42 rows"], id="sizes"
        ),
        pytest.param(
            {"optimizer.name": ["auto_evol", "gepa"]},
            ["test.yaml: matrix", "auto_evol and gepa", "data.fresh_size"],
            id="other rows",
        ),
    ],
)
def test_a_wrong_matrix_is_refused(
    matrix: Any, needles: list[str], write_config: WriteConfig
) -> None:
    sizes = {"train_size": None, "dev_size": 12, "heldout_size": 12}
    data = {"path": "seeds.jsonl", **sizes}
    refuse(write_config(matrix=matrix, data=data), *needles)


def test_a_mistake_beside_the_matrix_is_told_as_ever(write_config: WriteConfig) -> None:
    matrix = {"seed": [1, 2]}
    refuse(write_config(matrix=matrix, optimiser={}), "test.yaml: optimiser: unknown key")
    refuse(write_config(matrix=matrix, output=[1]), "test.yaml: output", more=("--out", "x"))
    refuse(write_config(matrix=matrix, name=None), "test.yaml: name: is required")


def test_a_value_that_is_no_plain_data_is_refused(write_config: WriteConfig) -> None:
    more = ("--set", "matrix.data.fields=[{1: a, b: c}]")
    refuse(write_config(), "matrix.data.fields", "value 1 is not plain data", more=more)


def test_more_cells_than_anybody_runs_are_refused(write_config: WriteConfig) -> None:
    matrix = {key: list(range(1, 50)) for key in ("seed", "optimizer.steps", "optimizer.patience")}
    refuse(write_config(matrix=matrix), "test.yaml: matrix", "117,649 cells", "at most 1,000")


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("run", ["--set", "optimizer.name=none"]),
        ("run", ["--set", "optimizer.name.x=none"]),
        ("evolve", []),
    ],
)
def test_what_varies_cannot_be_overridden(
    command: str, more: list[str], write_config: WriteConfig
) -> None:
    config = write_config(matrix={"optimizer.name": ["none", "paper"]})
    refuse(config, "matrix.optimizer.name", "--set", command=command, more=more)


def test_a_search_is_wanted_in_every_cell(write_config: WriteConfig) -> None:
    config = write_config(matrix={"optimizer.name": ["auto_evol", "none"]})
    refuse(config, "matrix.optimizer.name", '"none"', "no search", command="optimize")


def test_a_folder_of_a_single_run_is_refused(write_config: WriteConfig) -> None:
    none = {"optimizer": {"name": "none"}}
    run_cli("run", str(write_config(**none)), expected=0)
    refuse(write_config(matrix={"seed": [1]}, **none), "output.dir", "single run")


def test_a_cell_of_another_config_is_refused_before_any_call(write_config: WriteConfig) -> None:
    none = {"optimizer": {"name": "none"}, "matrix": {"seed": [1, 2]}}
    run_cli("run", str(write_config(**none)), "--set", "matrix.seed=[2]", expected=0)
    refuse(write_config(**none, evolve={"methods": ["e0"]}), "output.dir", "runs/test/seed-2")


def test_what_takes_one_config_takes_no_matrix(write_config: WriteConfig) -> None:
    with pytest.raises(ConfigError, match=r"test\.yaml: matrix: stands for several runs"):
        load_config(write_config(matrix={"seed": [1]}))


def test_what_may_be_a_secret_is_in_no_message(write_config: WriteConfig) -> None:
    bases = ["http://me:sk-12345@host/v1", "http://other/v1"]
    model = {"evolver": {"model": "hosted_vllm/m"}}
    matrix = {"models.evolver.api_base": bases}
    result = run_cli("run", str(write_config(models=model, matrix=matrix)), expected=2)
    assert "value 1 of 2" in result.err
    assert "sk-12345" not in result.err
    keys = {"models.evolver.api_key_env": ["sk-12345"], "models.evolver.api_key": ["sk-12345"]}
    for key, values in keys.items():
        result = run_cli("run", str(write_config(matrix={key: values})), expected=2)
        assert key in result.err
        assert "sk-12345" not in result.err


def test_a_mistake_that_a_call_finds_out_names_the_cell(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(messages: Sequence[Message], draw: int) -> str:
        raise AccessError("scripted/refusing", "the provider refuses the key")

    monkeypatch.setitem(scripted.SCRIPTS, "refusing", refusing)
    matrix = {"models.evolver.model": ["scripted/world", "scripted/refusing"]}
    config = write_config(matrix=matrix, optimizer={"name": "none"})
    result = run_cli("run", str(config), expected=2)
    assert len(result.err.strip().splitlines()) == 1
    assert "refuses the key" in result.err
    assert "(cell refusing)" in result.err
    assert Path("runs/test/world/summary.json").is_file()
